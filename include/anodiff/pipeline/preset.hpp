// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/scorer.hpp>
#include <anodiff/pipeline/recipe.hpp>

namespace anodiff {

namespace detail {
/// Becomes the default of whatever params it initialises.
struct by_default {
  template <parameters P>
  constexpr operator P() const {  // NOLINT: that is its purpose
    return {};
  }
};
}  // namespace detail

/// The numbers with which a detector starts, and its name in files. A method derives from it, hides the members that it
/// sets otherwise, and stands in the detector's list of policies: a user then overrides a number of the method as any
/// other.
struct preset {
  static constexpr std::string_view name = "custom";
  static constexpr anodiff::start start = anodiff::start::noised(0.25);
  static constexpr index steps = 10;
  static constexpr double clip = 0;
  static constexpr detail::by_default training{}, schedule{}, model{}, sampler{}, grid{}, prediction{}, conditioning{},
      scorer{}, aggregation{}, pooling{}, calibration{}, preprocessing{}, corruption{}, objective{};
};

}  // namespace anodiff
