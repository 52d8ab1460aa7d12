// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>
#include <vector>

namespace anodiff {

/// How a network came to its parameters: what is written to a file beside them.
struct model_shape {
  std::vector<index> sample;    ///< extents of one sample: {d} for rows
  std::uint64_t seed = 0;       ///< of the parameters' first values
  std::vector<index> groups{};  ///< sizes of consecutive runs of the sample's values: 1 a number, more the indicators
                                ///< of one category; empty where all are numbers

  [[nodiscard]] index size() const noexcept {
    index product = 1;
    for (const index extent : sample) product *= extent;
    return product;
  }
};

namespace detail {
/// Gives a tensor for every name, in concepts.
template <class T>
struct found_by_name {
  tensor<T, 2> operator()(std::string_view) const;
};
}  // namespace detail

namespace part {
template <class M>
concept has_an_engine = requires(const M m) {
  typename M::engine_type;
  { m.engine() } -> std::convertible_to<const typename M::engine_type&>;
};
template <class M>
concept lists_its_tensors = requires(M m, const M c) {
  c.tensors(detail::listed{});
  m.restore(model_shape{}, detail::found_by_name<typename M::engine_type::real>{});
};
template <class M>
concept estimates_at_levels = requires(const M m, std::span<const noise_level> levels) {
  typename M::run;
  { m.prepare(levels, index{}) } -> std::same_as<typename M::run>;
};
template <class M>
concept runs_on_rows = requires(typename M::run r, const typename M::engine_type::real* x, const std::int32_t* level) {
  { r.output(x, level, index{}) } -> std::same_as<const typename M::engine_type::real*>;
};
template <class M>
concept says_if_it_gives_the_clean_sample = requires {
  { M::gives_clean } -> std::convertible_to<bool>;
};
/// Whether what a network gives is no clean estimate but how noisy its row is.
template <class M>
concept tells_noise = requires {
  requires M::tells_noise;
};
template <class M>
concept brings_slopes_back = requires(typename M::sloped_run r, const typename M::engine_type::real* x) {
  { r.output(x, index{}) } -> std::same_as<const typename M::engine_type::real*>;
  { r.slope() } -> std::same_as<typename M::engine_type::real*>;
  { r.pull_back(index{}) } -> std::same_as<const typename M::engine_type::real*>;
};
template <class M>
concept remembers_rows = requires(M m, tensor_view<const float, 2> x) {
  m.remember(x, std::uint64_t{});
};
template <class M>
concept finds_neighbours = requires(const M m, tensor_view<const typename M::engine_type::real, 2> x, double* distance,
                                    index* place) {
  m.neighbours(x, index{}, std::span<const index>{}, distance, place);
  { m.remembered() } -> std::convertible_to<std::span<const index>>;
  { m.capacity(index{}) } -> std::same_as<index>;
};
template <class M>
concept scales_rows = requires(const M m, tensor_view<const float, 2> x, typename M::real* out) {
  m.scale(x, out);
  { m.rows() } -> std::same_as<tensor_view<const typename M::real, 2>>;
  { m.spacing() } -> std::same_as<double>;
};
template <class M>
concept sums_kernels = requires(const M m, tensor_view<const typename M::real, 2> scaled, double* out, index* place) {
  m.energy(scaled, double{}, std::span<const index>{}, out, out);
  m.neighbours(scaled, index{}, std::span<const index>{}, out, place);
};
}  // namespace part

/// What `fit` makes. It lives on an engine, and can be stored and restored tensor by tensor: tensors(f) calls
/// f(name, values) for each, whose memory lives as long as the model; restore(shape, find) takes find(name) of each.
template <class M>
concept model = policy<M> && part::has_an_engine<M> && part::lists_its_tensors<M>;

/// A model that says what the clean sample was. prepare(levels, max_rows) plans a run over these levels, and allocates
/// all that it will ever need; run.output(x, level, rows) gives F for rows x (rows, d), row i at levels[level[i]], in
/// memory that is valid until the next call, and allocates nothing. F is the clean estimate itself if gives_clean, else
/// what the prediction folds into it. Law: a row's output does not depend on the rows beside it.
template <class M>
concept denoiser = model<M> && !part::tells_noise<M> && part::estimates_at_levels<M> && part::runs_on_rows<M> &&
                   part::says_if_it_gives_the_clean_sample<M>;

/// A network that is not told a row's noise level, and says what it is: see objectives/time_bins.hpp for what its
/// outputs can mean.
template <class M>
concept time_estimator = model<M> && part::tells_noise<M> && part::estimates_at_levels<M> && part::runs_on_rows<M> &&
    part::brings_slopes_back<M>;

/// A network whose parameters are learned by gradient steps.
template <class M>
concept trainable = (denoiser<M> || time_estimator<M>)&&requires(M m, model_shape s) {
  m.build(s);
  m.parameter_count();
  { m.sample_shape() } -> std::convertible_to<const model_shape&>;
};

/// A model that learns by remembering: remember(x, seed) replaces fit.
template <class M>
concept memory = model<M> && part::remembers_rows<M>;

/// A memory that can be asked for the rows nearest to a query.
template <class M>
concept neighbourhood = memory<M> && part::finds_neighbours<M>;

/// A memory that is a kernel density of its rows, in a scale of its own: scale(x, out) brings rows there, energy and
/// neighbours take scaled rows, spacing() is the usual distance between rows there.
template <class M>
concept kernel_density = memory<M> && part::scales_rows<M> && part::sums_kernels<M>;

/// A memory that holds two kernel densities of the same rows, main() and partner(), with the scorers for each and the
/// tails of their scores over normal rows.
template <class M>
concept two_views = memory<M> && requires(const M m) {
  m.energy();
  m.local_gaussian();
  m.main_tail();
  m.partner_tail();
  { m.in_tails(index{}) } -> std::same_as<bool>;
} && kernel_density<std::remove_cvref_t<decltype(std::declval<const M&>().main())>> &&
    kernel_density<std::remove_cvref_t<decltype(std::declval<const M&>().partner())>>;

}  // namespace anodiff
