// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>
#include <anodiff/concepts/calibrator.hpp>
#include <anodiff/concepts/conditioner.hpp>
#include <anodiff/concepts/corruption.hpp>
#include <anodiff/concepts/grid.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/picture_preprocessor.hpp>
#include <anodiff/concepts/place_calibrator.hpp>
#include <anodiff/concepts/pooler.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/preprocessor.hpp>
#include <anodiff/concepts/sampler.hpp>
#include <anodiff/concepts/schedule.hpp>
#include <anodiff/pipeline/preset.hpp>
#include <type_traits>

namespace anodiff {

namespace detail {

enum class kind {
  schedule,
  grid,
  prediction,
  sampler,
  conditioner,
  aggregator,
  pooler,
  calibrator,
  preprocessor,
  model,
  recipe,
  preset,
  scorer
};

/// A policy of no other kind is taken for the scorer: what a scorer must offer depends on the detector around it.
template <class P>
[[nodiscard]] consteval kind kind_of() {
  if (std::derived_from<P, anodiff::preset>) return kind::preset;
  if (requires {
        typename P::corruption_policy;
        typename P::objective_policy;
      })
    return kind::recipe;
  if (model<P>) return kind::model;
  if (schedule<P>) return kind::schedule;
  if (grid<P>) return kind::grid;
  if (prediction<P>) return kind::prediction;
  if (sampler<P> || adaptive_sampler<P>) return kind::sampler;
  if (conditioner<P>) return kind::conditioner;
  if (aggregator<P> || joint_aggregator<P>) return kind::aggregator;
  if (pooler<P>) return kind::pooler;
  if (calibrator<P> || place_calibrator<P>) return kind::calibrator;
  if (preprocessor<P> || picture_preprocessor<P>) return kind::preprocessor;
  return kind::scorer;
}

template <kind K, class... Ps>
inline constexpr int count_of = (0 + ... + static_cast<int>(kind_of<Ps>() == K));

template <kind K, class Default, class... Ps>
struct pick {
  using type = Default;
};
template <kind K, class Default, class P, class... Ps>
struct pick<K, Default, P, Ps...> {
  using type = typename std::conditional_t<kind_of<P>() == K, std::type_identity<P>, pick<K, Default, Ps...>>::type;
};

struct missing {};

/// What a joint aggregation has learned; nothing for others.
template <class A>
struct joint_of {
  using type = missing;
};
template <joint_aggregator A>
struct joint_of<A> {
  using type = typename A::fitted;
};

}  // namespace detail

/// The policies of a detector by kind: taken from Ps, which may stand in any order, or from Defaults where Ps has none.
template <class Defaults, class... Ps>
struct parts {
 private:
  template <detail::kind K, class Default>
  using picked = typename detail::pick<K, Default, Ps...>::type;
  template <detail::kind... Ks>
  static constexpr bool once = ((detail::count_of<Ks, Ps...> <= 1) && ...);

 public:
  static_assert(detail::count_of<detail::kind::model, Ps...> == 1, "detector: needs exactly one model");
  static_assert(detail::count_of<detail::kind::scorer, Ps...> == 1,
                "detector: needs exactly one scorer; a policy that meets no concept of another kind counts as one");
  static_assert(once<detail::kind::schedule, detail::kind::grid, detail::kind::prediction, detail::kind::sampler,
                     detail::kind::conditioner, detail::kind::aggregator, detail::kind::pooler,
                     detail::kind::calibrator, detail::kind::preprocessor, detail::kind::recipe, detail::kind::preset>,
                "detector: two policies of the same kind");

  using model_type = picked<detail::kind::model, detail::missing>;
  using scorer_type = picked<detail::kind::scorer, detail::missing>;
  using schedule_type = picked<detail::kind::schedule, typename Defaults::schedule_type>;
  using grid_type = picked<detail::kind::grid, typename Defaults::grid_type>;
  using prediction_type = picked<detail::kind::prediction, typename Defaults::prediction_type>;
  using sampler_type = picked<detail::kind::sampler, typename Defaults::sampler_type>;
  using conditioner_type = picked<detail::kind::conditioner, typename Defaults::conditioner_type>;
  using aggregator_type = picked<detail::kind::aggregator, typename Defaults::aggregator_type>;
  using pooler_type = picked<detail::kind::pooler, typename Defaults::pooler_type>;
  using calibrator_type = picked<detail::kind::calibrator, typename Defaults::calibrator_type>;
  using preprocessor_type = picked<detail::kind::preprocessor, typename Defaults::preprocessor_type>;
  using recipe_type = picked<detail::kind::recipe, typename Defaults::recipe_type>;
  using preset_type = picked<detail::kind::preset, preset>;

  static_assert(!damages_classes<typename recipe_type::corruption_policy> ||
                    part::groups_its_outputs<preprocessor_type>,
                "detector: a corruption of categories needs a preprocessing whose indicators are 0 and 1: "
                "preprocessing::classes");
  static_assert(!leaves_gaps<preprocessor_type> || !trainable<model_type> ||
                    takes_gaps<typename recipe_type::corruption_policy>,
                "detector: a network learns from rows with missing values by a corruption that takes them: "
                "corruptions::known_gaussian");
  static_assert(!leaves_gaps<preprocessor_type> || fills_gaps<conditioner_type>,
                "detector: a preprocessing that leaves missing values missing needs a conditioning that fills them: "
                "conditioning::imputation");
  static_assert(
      !schedule_type::ends_in_pure_noise || !prediction_type::needs_signal,
      "detector: a schedule that ends in pure noise (alpha = 0) needs a prediction from which the clean sample can "
      "be found without signal: use velocity or clean, not epsilon");
};

namespace detail {

/// The policies of a detector by kind and name: a file fits a detector if these agree.
template <class Parts>
[[nodiscard]] text_fields policy_names() {
  const auto text = [](std::string_view name) { return std::string{name}; };
  text_fields out{{"policy.model", text(Parts::model_type::name)},
                  {"policy.schedule", text(Parts::schedule_type::name)},
                  {"policy.grid", text(Parts::grid_type::name)},
                  {"policy.prediction", text(Parts::prediction_type::name)},
                  {"policy.sampler", text(Parts::sampler_type::name)},
                  {"policy.conditioning", text(Parts::conditioner_type::name)},
                  {"policy.scorer", text(Parts::scorer_type::name)},
                  {"policy.aggregation", text(Parts::aggregator_type::name)},
                  {"policy.pooling", text(Parts::pooler_type::name)},
                  {"policy.calibration", text(Parts::calibrator_type::name)},
                  {"policy.preprocessing", text(Parts::preprocessor_type::name)},
                  {"policy.corruption", text(Parts::recipe_type::corruption_policy::name)},
                  {"policy.objective", text(Parts::recipe_type::objective_policy::name)}};
  if constexpr (requires { typename Parts::scorer_type::distance_policy; })
    out.emplace_back("policy.distance", text(Parts::scorer_type::distance_policy::name));
  if constexpr (requires { typename Parts::prediction_type::mean_policy; })
    out.emplace_back("policy.mean", text(Parts::prediction_type::mean_policy::name));
  if constexpr (requires { typename Parts::recipe_type::corruption_policy::noise_policy; })
    out.emplace_back("policy.noise", text(Parts::recipe_type::corruption_policy::noise_policy::name));
  return out;
}

}  // namespace detail

}  // namespace anodiff
