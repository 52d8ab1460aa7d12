// SPDX-License-Identifier: Apache-2.0
// A program of two sources that both include everything: what is not inline in a header would be defined twice.
#include <anodiff/anodiff.hpp>
#include <cstdio>
#include <string_view>

anodiff::tensor<float, 2> ones(anodiff::index rows, anodiff::index columns);

int main() {
  const auto x = ones(3, 4);
  float sum = 0;
  for (const float value : x.flat()) sum += value;
  std::printf("anodiff %s: sum %g\n", anodiff::version, static_cast<double>(sum));
#ifdef EXPECTED_VERSION
  if (std::string_view(anodiff::version) != EXPECTED_VERSION) return 1;
#endif
  return sum == 12 ? 0 : 1;
}
