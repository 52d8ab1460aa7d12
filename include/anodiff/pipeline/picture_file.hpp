// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/model_metadata.hpp>
#include <anodiff/pipeline/picture_fit.hpp>
#include <anodiff/pipeline/picture_score.hpp>

namespace anodiff {

template <class Parts>
void basic_picture_detector<Parts>::save(const std::string& path) const {
  save_to(path);
}

/// Tensors beside those of model.*, and of coarse.* and coarse.unit (f64) where the coarser scales have a network of
/// their own: scale.N.whole (f64, mean and deviation) and, where there are any,
/// scale.N.views.mean, scale.N.views.deviation (f64), scale.N.tail.V of view V (f64) and scale.N.learned.* (f32), for
/// each scale from 0, the finest; texture.K.weights, .whiten (f32) and .tail (f64) for each scale of the texture;
/// calibration.scores (f64); interest (u8, h x w), where there is such a region.
template <class Parts>
template <class Target>
void basic_picture_detector<Parts>::save_to(Target& target) const {
  check(fitted_, "picture_detector::save: nothing has been learned yet; call fit first");
  using formats::named;
  std::vector<formats::named_tensor> tensors;
  std::vector<std::vector<double>> tables;  // tensors borrow their bytes, which stay where they are
  std::size_t views = 0;
  for (const auto& normal : statistics_) views += normal.tails.size();
  tables.reserve(3 * statistics_.size() + views + 1 + static_cast<std::size_t>(numbers_.texture.scales));
  const auto add = [&](std::string name, std::vector<double> values) {
    tensors.push_back(named(std::move(name), std::span<const double>{tables.emplace_back(std::move(values))}));
  };
  for (std::size_t k = 0; k < statistics_.size(); ++k) {
    const auto& normal = statistics_[k];
    add(concat("scale.", k, ".whole"), {normal.whole.mean, normal.whole.deviation});
    if (!normal.views.empty()) {
      std::vector<double> mean, deviation;
      for (const auto& s : normal.views) {
        mean.push_back(s.mean);
        deviation.push_back(s.deviation);
      }
      add(concat("scale.", k, ".views.mean"), std::move(mean));
      add(concat("scale.", k, ".views.deviation"), std::move(deviation));
    }
    for (std::size_t v = 0; v < normal.tails.size(); ++v)
      add(concat("scale.", k, ".tail.", v), normal.tails[v].values());
    if constexpr (part::studies_normals<scorer_type>)
      normal.learned.tensors([&](std::string_view name, std::span<const float> values) {
        tensors.push_back(named(concat("scale.", k, ".learned.", name), values));
      });
  }
  texture_.tensors(
      [&](std::string name, std::span<const float> values) { tensors.push_back(named(std::move(name), values)); }, add);
  if (calibrated_) tensors.push_back(named("calibration.scores", calibrated_->scores()));
  if (interest_.size() > 0) tensors.push_back(named("interest", const_view(interest_)));
  model_.tensors(
      [&](std::string_view name, auto&& values) { tensors.push_back(named(concat("model.", name), values)); });
  const bool second = numbers_.picture.coarse_network;
  if (second) {
    add("coarse.unit", {coarse_unit_});
    coarse_model_.tensors(
        [&](std::string_view name, auto&& values) { tensors.push_back(named(concat("coarse.", name), values)); });
  }
  const index format = texture_.has_learned() ? texture_format
                       : has_focus()          ? focus_format
                       : second               ? two_networks_format
                                              : pictures_format;
  formats::write_safetensors(target, tensors,
                             detail::model_metadata<Parts>(format, numbers_, record_, model_.sample_shape().sample));
}

template <class Parts>
void basic_picture_detector<Parts>::open(const std::string& path) {
  open(formats::read_safetensors(path));
}

template <class Parts>
void basic_picture_detector<Parts>::open(const formats::safetensors_file& file) {
  detail::check_policies<Parts>(file);
  detail::as_data_error(file.name, [&] {
    options numbers;
    fit_record record;
    const auto sample = detail::read_model_metadata(file, numbers, record);
    check(sample.size() == 3, "needs a sample (height, width, channels), got ", sample.size(), " dimensions");
    basic_picture_detector made{std::move(numbers), model_.engine()};
    check(!made.numbers_.picture.coarse_network || detail::format_of(file) >= two_networks_format,
          "was written in format ", detail::format_of(file), ", with one network for all scales, and method '",
          Parts::preset_type::name, "' has had two since format ", two_networks_format, "; fit it again");
    check(made.numbers_.texture.scales == 0 || detail::format_of(file) >= texture_format, "was written in format ",
          detail::format_of(file), ", and method '", Parts::preset_type::name, "' has judged texture since format ",
          texture_format, "; fit it again");
    made.channels_ = sample[2];
    made.record_ = std::move(record);
    const auto statistics = [&](double mean, double deviation, std::string_view name) {
      check(deviation > 0, name, ": a deviation must be above 0, got ", deviation);
      return view_statistics{mean, deviation};
    };
    const auto finite_floats = [&](const std::string& name) {
      const auto values = file.find<float, 1>(name).flat();
      check(std::ranges::all_of(values, [](float v) { return std::isfinite(v); }), name, " must hold finite numbers");
      return values;
    };
    for (index k = 0; k < made.numbers_.picture.scales; ++k) {
      auto& normal = made.statistics_.emplace_back();
      const std::string prefix = concat("scale.", k, ".");
      const auto whole = detail::finite_doubles(file, concat(prefix, "whole"), 2);
      normal.whole = statistics(whole[0], whole[1], prefix);
      if constexpr (Parts::aggregator_type::needs_statistics) {
        const auto mean = detail::finite_doubles(file, concat(prefix, "views.mean")),
                   deviation =
                       detail::finite_doubles(file, concat(prefix, "views.deviation"), static_cast<index>(mean.size()));
        for (std::size_t v = 0; v < mean.size(); ++v) normal.views.push_back(statistics(mean[v], deviation[v], prefix));
      }
      if constexpr (part::studies_normals<scorer_type>)
        normal.learned.restore([&](std::string_view name) { return finite_floats(concat(prefix, "learned.", name)); });
    }
    made.texture_.restore(made.channels_, finite_floats,
                          [&](const std::string& name) { return detail::finite_doubles(file, name); });
    made.model_.restore({sample, made.numbers_.seed}, [&](std::string_view name) {
      return file.find<typename engine_type::real, 2>(concat("model.", name));
    });
    if (const index side = made.numbers_.picture.coarse_crop; made.numbers_.picture.coarse_network) {
      made.coarse_unit_ = detail::finite_doubles(file, "coarse.unit", 1)[0];
      check(made.coarse_unit_ > 0, "coarse.unit must be above 0, got ", made.coarse_unit_);
      made.coarse_model_.restore({{side, side, sample[2]}, made.numbers_.seed}, [&](std::string_view name) {
        return file.find<typename engine_type::real, 2>(concat("coarse.", name));
      });
    }
    if (file.contains("interest")) {
      picture_focus to;
      to.interest = tensor<std::uint8_t, 2>{file.find<std::uint8_t, 2>("interest")};
      check(to.interest.size() > 0, "interest holds no pixel");
      made.narrow(std::move(to));
    }
    if (file.contains("calibration.scores"))
      made.calibrated_ = made.calibrator_.fit(detail::finite_doubles(file, "calibration.scores"));
    if constexpr (sums_tails) {
      for (index k = 0; k < made.numbers_.picture.scales; ++k) {
        auto& tails = made.statistics_[static_cast<std::size_t>(k)].tails;
        const auto name = [&] { return concat("scale.", k, ".tail.", tails.size()); };
        while (file.contains(name()))
          tails.push_back(calibration::tail_curve::restored(detail::finite_doubles(file, name())));
        const tensor<float, 3> dot{{1, 1, sample[2]}};
        const index views = made.views_of(dot, made.statistics_[static_cast<std::size_t>(k)].learned, k).extent(0);
        check(static_cast<index>(tails.size()) == views, "needs tails of ", views, " views, got ", tails.size());
      }
    }
    if constexpr (Parts::aggregator_type::needs_statistics) {
      for (index k = 0; k < made.numbers_.picture.scales; ++k) {
        const index views = made.scorer_of(k).prepare(made.context(made.model_of(k), k), 1).views();
        const auto stored = static_cast<index>(made.statistics_[static_cast<std::size_t>(k)].views.size());
        check(stored == views, "needs statistics of ", views, " views, got ", stored);
      }
    }
    made.fitted_ = true;
    *this = std::move(made);
  });
}

}  // namespace anodiff
