// SPDX-License-Identifier: Apache-2.0
// Fits and scores 600,000 rows of 10 columns, and prints the time and the largest memory of the process. Arguments:
// rows of the table (600000), threads (0 = one a core).
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace ad = anodiff;

namespace {

/// Largest resident memory so far, in MiB; 0 where the system does not tell.
double peak_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const ad::index rows = count > 1 ? std::atoll(arguments[1]) : 600'000;
  constexpr ad::index d = 10;
  ad::tensor<double, 2> x{{rows, d}};
  for (ad::index i = 0; i < x.size(); ++i)
    x.flat()[static_cast<std::size_t>(i)] = ad::random_normal({}, static_cast<std::uint64_t>(i));
  const auto seconds = [start = std::chrono::steady_clock::now()]() mutable {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start, now)).count();
  };
  ad::methods::denoising_error<ad::cpu_engine> model{{.seed = 1},
                                                     ad::cpu_engine{count > 2 ? std::atoi(arguments[2]) : 0}};
  auto clock = seconds;
  model.fit(x);
  const double fit = clock();
  std::printf(
      "{\"rows\": %lld, \"columns\": %lld, \"table_mib\": %.0f, \"fit_s\": %.2f, \"peak_mib_after_fit\": %.0f}\n",
      static_cast<long long>(rows), static_cast<long long>(d), static_cast<double>(x.size()) * 8 / 1048576, fit,
      peak_memory());
  for (const ad::index part : {rows / 4, rows / 2, rows}) {
    (void)clock();
    (void)model.score(x.view().slice(0, part), false);
    const double score = clock();
    std::printf("{\"scored\": %lld, \"score_s\": %.2f, \"rows_per_s\": %.0f, \"peak_mib\": %.0f}\n",
                static_cast<long long>(part), score, static_cast<double>(part) / score, peak_memory());
  }
  return 0;
}
