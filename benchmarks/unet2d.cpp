// SPDX-License-Identifier: Apache-2.0
// One pass of the network of a diffusers checkpoint on the CPU engine: medians as JSON lines, to be run beside the
// peers by peers/run_unet2d.py. Arguments: FOLDER --threads N --batches 1,8 --weights whole|bytes. The first output of
// batch 1 is compared there.
#include <algorithm>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/diffusers.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace ad = anodiff;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// One pass at time 500 for a batch of pictures sin(1 + 0.7 i), channels last.
void measure(const ad::models::unet2d<ad::cpu_engine>& model, ad::index batch, int threads) {
  const auto size = static_cast<std::size_t>(model.sample_shape().size() * batch);
  std::vector<float> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<float>(std::sin(1 + 0.7 * static_cast<double>(i)));
  const std::vector<ad::noise_level> levels{{1, 1, 500}};
  const std::vector<std::int32_t> level(static_cast<std::size_t>(batch), 0);
  auto run = model.prepare(levels, batch);
  const float* out = run.output(x.data(), level.data(), batch);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::abs(static_cast<double>(out[i]));
  std::vector<double> seconds, of_processor;
  const auto begin = clock_type::now();
  while (seconds.size() < 5 || seconds_since(begin) < 1) {
    const auto start = clock_type::now();
    const std::clock_t used = std::clock();
    (void)run.output(x.data(), level.data(), batch);
    of_processor.push_back(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
    seconds.push_back(seconds_since(start));
  }
  std::ranges::sort(seconds);
  std::ranges::sort(of_processor);
  std::printf(
      "{\"name\": \"unet2d/b%lld\", \"threads\": %d, \"median_us\": %.0f, \"cpu_us\": %.0f, \"n\": %zu, \"mean_abs\": "
      "%.7g, "
      "\"MB\": %.1f}\n",
      static_cast<long long>(batch), threads, 1e6 * seconds[seconds.size() / 2],
      1e6 * of_processor[of_processor.size() / 2], seconds.size(), sum / static_cast<double>(size),
      static_cast<double>(run.bytes()) / 1e6);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [--threads N] [--batches 1,8] [--weights whole|bytes]\n", arguments[0]);
    return 2;
  }
  int threads = 1;
  const char* batches = "1,8";
  auto weights = ad::weight_storage::whole;
  for (int i = 2; i + 1 < count; i += 2)
    if (std::strcmp(arguments[i], "--threads") == 0)
      threads = std::atoi(arguments[i + 1]);
    else if (std::strcmp(arguments[i], "--batches") == 0)
      batches = arguments[i + 1];
    else if (std::strcmp(arguments[i], "--weights") == 0 && std::strcmp(arguments[i + 1], "bytes") == 0)
      weights = ad::weight_storage::bytes;
  try {
    const auto start = clock_type::now();
    const auto checkpoint = ad::io::load_diffusers<ad::cpu_engine>(arguments[1], {}, ad::cpu_engine{threads, weights});
    std::printf("{\"name\": \"unet2d/load\", \"threads\": %d, \"median_us\": %.0f}\n", threads,
                1e6 * seconds_since(start));
    for (const char* at = batches; at != nullptr; at = std::strchr(at, ',')) {
      if (*at == ',') ++at;
      measure(checkpoint.model, std::atoi(at), threads);
    }
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
  return 0;
}
