// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/parameters.hpp>
#include <string_view>

namespace anodiff {

/// What all policies have in common: a `params` struct, a constructor that checks it, and a `name` that is the one in
/// files and on the command line. A policy is immutable; what changes during a run lives in the run.
template <class P>
concept policy = std::copyable<P> && parameters<typename P::params> && std::constructible_from<P, typename P::params> &&
    requires(const P p) {
  { P::name } -> std::convertible_to<std::string_view>;
  { p.parameters() } -> std::convertible_to<typename P::params>;
};

}  // namespace anodiff
