// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>

namespace anodiff {

/// Mean and standard deviation of one view's score over normal samples.
struct view_statistics {
  double mean = 0, deviation = 1;
};

namespace part {
template <class A>
concept reduces_views = requires(const A a, std::span<const double> values, std::span<const view_statistics> normal) {
  { a.reduce(values, normal) } -> std::same_as<double>;
};
template <class A>
concept says_if_it_needs_statistics = requires {
  { A::needs_statistics } -> std::convertible_to<bool>;
};
template <class A>
concept judges_views_together = requires(const A a, tensor_view<const double, 2> rows, const typename A::fitted f,
                                         std::span<const double> values, std::span<double> slope) {
  { a.fit(rows, rows, std::uint64_t{}) } -> std::same_as<typename A::fitted>;
  { f.score(values, slope) } -> std::same_as<double>;
  { f.views() } -> std::same_as<index>;
  f.tensors([](std::string_view, std::span<const double>) {});
};
template <class A>
concept says_if_it_needs_generated = requires {
  { A::needs_generated } -> std::convertible_to<bool>;
};
}  // namespace part

/// Makes one value of a sample's views (noise levels × repeats). It is applied to each element of the evidence.
/// `normal` holds each view's statistics of the pooled score over normal rows; it is empty unless needs_statistics.
/// Laws: one view with mean 0 and deviation 1 passes unchanged through every aggregation but the per-view weights;
/// raising one value never lowers the result; the order of views does not matter if their statistics move with them.
template <class A>
concept aggregator = policy<A> && part::reduces_views<A> && part::says_if_it_needs_statistics<A>;

/// Makes one value of a sample's views taken together. fit(normal, generated, seed) learns from the pooled views, (n,
/// views), of normal samples and, where needs_generated, of damaged ones; its `fitted` gives score(values, slope) of a
/// sample's pooled views with the derivative by each (of a count, each view's part in it), and is stored by tensors(f)
/// and a policy's restored(find). An element's evidence is the score by the size of its own views, each weighted
/// by |slope|, so that pooling by the mean gives the score. Law: the slope matches finite differences.
template <class A>
concept joint_aggregator = policy<A> && part::judges_views_together<A> && part::says_if_it_needs_statistics<A> &&
    part::says_if_it_needs_generated<A>;

/// True where the values must be rarities among normal ones instead: see aggregation::surprise.
template <class A>
inline constexpr bool needs_tails = [] {
  if constexpr (requires { A::needs_tails; }) return A::needs_tails;
  return false;
}();

}  // namespace anodiff
