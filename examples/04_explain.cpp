// SPDX-License-Identifier: Apache-2.0
// Evidence: how much each column adds to a row's score. In the faulty rows the temperature was tampered with; the
// evidence must say so.
#include <algorithm>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <cstdio>
#include <exception>

#include "pump.hpp"

namespace ad = anodiff;

namespace {

bool lesson() {
  using method = ad::methods::denoising_error<ad::cpu_engine>;
  method::options numbers;
  numbers.seed = 7;
  numbers.model.width = 64;
  numbers.training.steps = 300;
  method model{numbers};
  model.fit(pump::rows(600, 1), {.columns = pump::columns});  // (600, 6)

  const auto faulty = pump::rows(50, 3, true);  // (50, 6)
  const auto found = model.score(faulty);       // evidence: (50, 6)
  ad::index blamed = 0;
  for (ad::index i = 0; i < found.size(); ++i) {
    const auto evidence = found.map(i);  // (6)
    blamed += std::max_element(evidence.begin(), evidence.end()) - evidence.begin() == pump::temperature;
  }

  const auto usual = model.preprocessing().offset(), spread = model.preprocessing().scale();  // (6) each
  std::printf("row 0: score %.2f, p = %.4f\n", found.score[0], found.p_value[0]);
  for (std::size_t j = 0; j < pump::columns.size(); ++j)
    std::printf("    %-12s %8.2f   (normal %.2f ± %.2f)   evidence %8.2f\n", pump::columns[j].c_str(),
                faulty(0, static_cast<ad::index>(j)), usual[j], spread[j], static_cast<double>(found.map(0)[j]));
  std::printf("the temperature has the largest evidence in %lld of 50 rows, at least 45 expected\n",
              static_cast<long long>(blamed));
  return blamed >= 45;
}

}  // namespace

int main() {
  try {
    return lesson() ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
