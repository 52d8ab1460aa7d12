// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

namespace part {
template <class D, class Engine>
concept measures_elements = requires(const D d, Engine& engine, tensor_view<const float, 2> x,
                                     tensor_view<float, 2> out) {
  d.measure(engine, x, x, out);
};
}  // namespace part

/// How far a rebuilt sample lies from its input, element by element: measure(engine, x, rebuilt, out), all (n, d).
/// Laws: never negative; zero where both are equal; symmetric.
template <class D, class Engine>
concept distance_on = policy<D> && part::measures_elements<D, Engine>;

}  // namespace anodiff
