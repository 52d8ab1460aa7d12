// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <array>
#include <span>
#include <string_view>

namespace anodiff {

/// How a run starts from the input x: at alpha x + sigma ε; at alpha x, without noise; or at x itself, taken as if it
/// were a sample of that level.
enum class start_kind { noised, scaled, clean };
[[nodiscard]] constexpr std::array<std::string_view, 3> names_of(start_kind) { return {"noised", "scaled", "clean"}; }

/// Where a run starts: the kind, and how deep into the schedule.
struct start {
  start_kind kind = start_kind::noised;
  double depth = 0.25;  ///< share of the schedule's levels that are in reach; (0, 1]

  [[nodiscard]] static constexpr start noised(double depth) { return {start_kind::noised, depth}; }
  [[nodiscard]] static constexpr start scaled(double depth) { return {start_kind::scaled, depth}; }
  [[nodiscard]] static constexpr start clean(double depth) { return {start_kind::clean, depth}; }
};

namespace part {
template <class S, class Context>
concept prepares_a_run = requires(const S s, const Context& context) {
  s.prepare(context, index{});
};
template <class Run>
concept gives_evidence = requires(Run run, tensor_view<const float, 2> x, tensor_view<float, 3> out) {
  { run.views() } -> std::same_as<index>;
  run.evidence(x, out);
};
template <class Run>
concept leaves_one_out = requires(Run run, tensor_view<const float, 2> x, std::span<const index> self,
                                  tensor_view<float, 3> out) {
  run.evidence_without(x, self, out);
};
template <class S>
concept studies_normals = requires(const typename S::learned known) {
  typename S::study;
  known.tensors(detail::listed{});
};
}  // namespace part

/// What does not belong, element by element. prepare(context, max_rows) plans a run; run.evidence(x, out) fills
/// out (views, n, d) from rows x (n, d), and allocates nothing; views are noise levels × repeats, which an aggregation
/// reduces. Higher is more anomalous. A run that leaves_one_out can also score rows which the model remembers, each
/// without itself.
/// A scorer of pictures may also learn from normal ones: run.study(x, study) adds to its `study`, whose conclude()
/// gives its `learned`, which run.evidence(x, learned, out) takes; tensors(f) and restore(find) store it as a model's.
/// Laws: rows do not see one another; a row's evidence is the same in any batch and order; a perfect rebuild gives 0.
/// The context gives: model(), machine(), seed(), schedule(), and, for denoisers, rebuilder(max_rows), whose
/// rebuild(x, draw, out) runs the sampler, and estimator(levels, max_rows), whose output and fold are the denoiser's.
template <class S, class Context>
concept scorer_on = policy<S> && part::prepares_a_run<S, Context> &&
    part::gives_evidence<decltype(std::declval<const S&>().prepare(std::declval<const Context&>(), index{}))>;

}  // namespace anodiff
