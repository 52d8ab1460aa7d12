// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <span>

namespace anodiff {

namespace part {
template <class C>
concept calibrates_on_normals = requires(const C c, std::span<const double> scores) {
  typename C::fitted;
  c.fit(scores);
};
template <class F>
concept gives_p_value = requires(const F f, double score) {
  { f.p_value(score) } -> std::same_as<double>;
};
template <class F>
concept gives_threshold = requires(const F f) {
  { f.threshold() } -> std::same_as<double>;
};
template <class F>
concept says_what_it_promises = requires(const F f) {
  { f.promised() } -> std::same_as<double>;
};
template <class F>
concept can_be_stored = requires(const F f) {
  f.scores();
};
}  // namespace part

/// Turns scores of normal samples, which the model has not learned from, into a decision with a stated false-alarm
/// rate. fit(scores) gives a `fitted`: p_value(score) in (0, 1], threshold() above which a score is an alarm,
/// promised() the rate that holds for normals, and scores() from which the same `fitted` can be made again. Laws: p
/// falls as the score rises; a score is an alarm exactly where it exceeds threshold().
template <class C>
concept calibrator = policy<C> && part::calibrates_on_normals<C> && part::gives_p_value<typename C::fitted> &&
    part::gives_threshold<typename C::fitted> && part::says_what_it_promises<typename C::fitted> &&
    part::can_be_stored<typename C::fitted>;

}  // namespace anodiff
