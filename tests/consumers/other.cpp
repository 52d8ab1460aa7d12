// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/anodiff.hpp>

anodiff::tensor<float, 2> ones(anodiff::index rows, anodiff::index columns) {
  anodiff::tensor<float, 2> x({rows, columns});
  std::ranges::fill(x.flat(), 1.0F);
  return x;
}
