// expect-error: tensor_view
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/tensor.hpp>

namespace {

void fill(anodiff::tensor_view<float, 2> out) { out(0, 0) = 1; }
float first(anodiff::tensor_view<const float, 2> in) { return in(0, 0); }

}  // namespace

float use(anodiff::tensor<float, 2>& x) {
#ifdef ANODIFF_GOOD
  fill(x);
#else
  fill(anodiff::tensor_view<const float, 2>{x});  // a view of const elements must not become a mutable one
#endif
  return first(x);
}
