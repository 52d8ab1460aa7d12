// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>

namespace anodiff {

namespace part {
template <class C>
concept calibrates_by_place = requires(const C c, std::span<const double> scores, tensor_view<const float, 2> rows) {
  { c.fit(scores, rows) } -> std::same_as<typename C::fitted>;
  c.check_count(index{});
};
template <class F>
concept decides_by_place = requires(const F f, double score, std::span<const float> row) {
  { f.p_value(score, row) } -> std::same_as<double>;
  { f.threshold(row) } -> std::same_as<double>;
  { f.threshold() } -> std::same_as<double>;
  { f.promised() } -> std::same_as<double>;
};
template <class F>
concept can_be_stored_with_places = requires(const F f) {
  { f.scores() } -> std::convertible_to<std::span<const double>>;
  { f.rows() } -> std::convertible_to<tensor_view<const float, 2>>;
};
}  // namespace part

/// A calibrator whose threshold depends on where a row lies: what is far in a crowd may be near in a sparse region.
/// fit(scores, rows) takes the preprocessed rows (n, d) of normal samples with their scores; check_count(n) throws
/// invalid_argument where so few cannot support the rate. Its `fitted` gives p_value(score, row), threshold(row),
/// threshold() of a typical place, promised(), and the scores() and rows() from which it can be made again. Laws: p
/// falls as the score rises; over all places, normal rows exceed their thresholds at the promised rate.
template <class C>
concept place_calibrator = policy<C> && part::calibrates_by_place<C> && part::decides_by_place<typename C::fitted> &&
    part::can_be_stored_with_places<typename C::fitted>;

}  // namespace anodiff
