// SPDX-License-Identifier: Apache-2.0
// What one picture costs image_default, map included: the median over repeats of one picture at a time on one thread,
// by the clock and by the processor's own time, which other programs on the machine disturb less. The time does not
// depend on what the network has learned.
//   anodiff_picture_latency [SIDE] [REPEATS]
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/image_default.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace ad = anodiff;

int main(int count, char** values) {
  const ad::index side = count > 1 ? std::atol(values[1]) : 256;
  const int repeats = count > 2 ? std::atoi(values[2]) : 50;
  std::vector<ad::tensor<float, 3>> pictures;
  for (std::uint32_t n = 0; n < 4; ++n) {
    auto& picture = pictures.emplace_back(ad::shape<3>{side, side, 1});
    for (ad::index e = 0; e < picture.size(); ++e)
      picture.data()[e] =
          static_cast<float>(0.5 + 0.05 * ad::random_normal({.seed = 1, .draw = n}, static_cast<std::uint64_t>(e)));
  }
  ad::methods::image_default<ad::cpu_engine>::options numbers;
  numbers.training.steps = 2;
  numbers.calibration_share = 0;
  ad::methods::image_default<ad::cpu_engine> detector{numbers, ad::cpu_engine{1}};
  detector.fit(pictures);
  std::vector<double> wall, used;
  double sum = 0;
  for (int i = 0; i < repeats + 2; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t began = std::clock();
    sum += detector.score(pictures[static_cast<std::size_t>(i) % pictures.size()]).score;
    if (i < 2) continue;  // plans are made, memory is touched
    used.push_back(1e3 * static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
    wall.push_back(1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  for (auto* times : {&wall, &used}) std::ranges::sort(*times);
  const std::size_t middle = wall.size() / 2;
  std::printf("%ld x %ld, one thread: median %.1f ms (fastest %.1f), processor time %.1f ms; scores add up to %g\n",
              static_cast<long>(side), static_cast<long>(side), wall[middle], wall.front(), used[middle], sum);
}
