// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <span>

namespace anodiff {

namespace part {
template <class P>
concept pools_evidence = requires(const P p, std::span<const float> evidence) {
  { p.pool(evidence) } -> std::same_as<double>;
};
}  // namespace part

/// The number of a sample, made of its evidence. Laws: raising an element never lowers the result; the order of the
/// elements does not matter; a constant map gives its constant.
template <class P>
concept pooler = policy<P> && part::pools_evidence<P>;

}  // namespace anodiff
