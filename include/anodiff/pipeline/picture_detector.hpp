// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/tail_curve.hpp>
#include <anodiff/concepts/pooler.hpp>
#include <anodiff/formats/resize.hpp>
#include <anodiff/ops/blur.hpp>
#include <anodiff/pipeline/checkpoint.hpp>
#include <anodiff/pipeline/context.hpp>
#include <anodiff/pipeline/crop_source.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <anodiff/pipeline/picture_detection.hpp>
#include <anodiff/pipeline/picture_focus.hpp>
#include <anodiff/pipeline/picture_runs.hpp>
#include <anodiff/pipeline/split.hpp>
#include <array>
#include <optional>

namespace anodiff {

/// Learns what normal pictures look like, and shows where a picture does not look like one. Parts names the policies;
/// the numbers are values. fit learns from pieces of normal pictures of any size, then calibrates on pictures that it
/// has not learned from. score is const and may be called from several threads; a picture's result does not depend on
/// others.
template <class Parts>
class basic_picture_detector {
 public:
  using parts_type = Parts;
  using options = picture_options<Parts>;
  using model_type = typename Parts::model_type;
  using engine_type = typename model_type::engine_type;
  using context_type = scoring_context<Parts>;
  using scorer_type = typename Parts::scorer_type;
  static_assert(trainable<model_type>, "picture_detector: needs a network");
  static_assert(
      picture_preprocessor_on<typename Parts::preprocessor_type, engine_type>,
      "picture_detector: the preprocessing takes rows; use one for pictures, such as preprocessing::centered");

  explicit basic_picture_detector(options numbers = {}, engine_type engine = engine_type{})
      : numbers_{verified(std::move(numbers))},
        levels_{typename Parts::schedule_type{numbers_.schedule}.levels()},
        grid_{numbers_.grid},
        prediction_{numbers_.prediction},
        sampler_{numbers_.sampler},
        conditioner_{numbers_.conditioning},
        scorer_{numbers_.scorer},
        aggregator_{numbers_.aggregation},
        pooler_{numbers_.pooling},
        calibrator_{numbers_.calibration},
        preprocessor_{numbers_.preprocessing},
        corruption_{numbers_.corruption},
        coarse_corruption_{numbers_.coarse_corruption},
        objective_{numbers_.objective},
        texture_{numbers_.texture},
        model_{numbers_.model, std::move(engine)},
        coarse_model_{numbers_.model, model_.engine()},
        map_blur_{numbers_.picture.map_blur > 0 ? ops::gaussian_weights<float>(numbers_.picture.map_blur)
                                                : std::vector<float>{}} {}

  /// Learns from normal pictures, then calibrates on the last of them, `calibration_share` of all: neighbours in a list
  /// often show one part, and would know each other. Throws data_error for pictures that cannot be used, by name,
  /// invalid_argument, memory_error, numeric_error and stopped as basic_detector::fit.
  void fit(const picture_list& pictures, const fit_options& how = {});
  void fit(std::span<const tensor<float, 3>> pictures, const fit_options& how = {}) {
    fit(pictures_in_memory{pictures}, how);
  }

  /// From now on only pixels of a region of interest raise an alarm, beside what already did not, and no region smaller
  /// than the minimum area; the map is then judged at the picture's own size, and is 0 outside. Before fit or calibrate
  /// it is what they calibrate with. Afterwards scores can but fall: the promised rate is an upper bound until
  /// calibrate is called again. What lies outside is still seen by the network: a deviation there is felt as far inside
  /// as its sight and the map's blur reach. Throws invalid_argument for a minimum area outside its range, a region of
  /// another size than the one there is, and where no pixel would be left to judge.
  void narrow(picture_focus to);

  /// What of a picture of that size counts for its score; empty where all of it does, as without a focus.
  [[nodiscard]] tensor<std::uint8_t, 2> counted(index height, index width) const {
    return has_focus() ? detail::counted(interest_, height, width, numbers_.picture.border * numbers_.picture.reduce)
                       : tensor<std::uint8_t, 2>{};
  }
  /// The region of interest (h, w), 1 where a pixel counts; empty where there is none.
  [[nodiscard]] const tensor<std::uint8_t, 2>& interest() const noexcept { return interest_; }

  /// Scores a picture (h, w, c) with values in [0, 1]. Throws invalid_argument before fit, data_error for a picture
  /// with other channels, of another size than the region of interest or values that are not finite, numeric_error for
  /// a score that is not finite; all with its name.
  [[nodiscard]] picture_finding score(tensor_view<const float, 3> picture,
                                      std::string_view name = "the picture") const {
    check(fitted_, "picture_detector::score: nothing has been learned yet; call fit or load first");
    check_picture("picture_detector::score", picture, name);
    picture_finding out{.map = map_of(picture, statistics_)};
    if (!has_focus()) out.score = pooled(out.map, name);
    out.map = resized(out.map, picture.extent(0), picture.extent(1));
    if (has_focus()) focus(out, name);
    if (calibrated_) {
      out.p_value = calibrated_->p_value(out.score);
      out.is_anomaly = out.score > calibrated_->threshold();
    }
    return out;
  }

  /// What each scale sees of a picture, from the finest on, and then each scale of its texture: maps (h, w) of the
  /// picture, on the scale of its map, which is their sum where the aggregation adds tails, otherwise the largest of
  /// them. Throws as score.
  [[nodiscard]] std::vector<tensor<float, 2>> maps_by_scale(tensor_view<const float, 3> picture,
                                                            std::string_view name = "the picture") const {
    check(fitted_, "picture_detector::maps_by_scale: nothing has been learned yet; call fit or load first");
    check_picture("picture_detector::maps_by_scale", picture, name);
    std::vector<tensor<float, 2>> out;
    for (std::size_t scale = 0; scale < statistics_.size(); ++scale)
      out.push_back(resized(map_at(picture, static_cast<index>(scale), statistics_[scale]), picture.extent(0),
                            picture.extent(1)));
    for (const auto& map : texture_maps(picture)) out.push_back(resized(map, picture.extent(0), picture.extent(1)));
    return out;
  }

  /// The share of normal pictures that hold, somewhere, what is as anomalous: of a score, or of a region's highest
  /// value; empty without calibration.
  [[nodiscard]] std::optional<double> p_value(double score) const {
    return calibrated_ ? std::optional{calibrated_->p_value(score)} : std::nullopt;
  }

  /// Calibrates anew on normal pictures that the model has not learned from, at another rate if wanted; no refit.
  void calibrate(const picture_list& pictures, typename Parts::calibrator_type::params numbers,
                 const progress_callback& report = {}) {
    check(fitted_, "picture_detector::calibrate: nothing has been learned yet; call fit or load first");
    const typename Parts::calibrator_type calibrator{numbers};
    calibrated_ = calibrator.fit(scores_of(pictures, 0, pictures.count(), report));
    calibrator_ = calibrator;
    numbers_.calibration = numbers;
    record_.calibration_rows = pictures.count();
  }

  [[nodiscard]] bool is_fitted() const noexcept { return fitted_; }
  [[nodiscard]] const options& numbers() const noexcept { return numbers_; }
  [[nodiscard]] const fit_record& record() const noexcept { return record_; }
  /// The network of the finest scale.
  [[nodiscard]] const model_type& model() const noexcept { return model_; }
  [[nodiscard]] index channels() const noexcept { return channels_; }
  /// The false-alarm rate promised for normal pictures; empty without calibration.
  [[nodiscard]] std::optional<double> promised_rate() const {
    return calibrated_ ? std::optional{calibrated_->promised()} : std::nullopt;
  }
  /// A picture whose score is above it is an anomaly, and so is a pixel whose map is: a normal picture holds such a
  /// pixel, away from the border that is left out, at the promised rate.
  [[nodiscard]] std::optional<double> threshold() const {
    return calibrated_ ? std::optional{calibrated_->threshold()} : std::nullopt;
  }
  /// Scores of the calibration pictures: what a colour scale is drawn from; empty without calibration.
  [[nodiscard]] std::span<const double> calibration_scores() const {
    return calibrated_ ? calibrated_->scores() : std::span<const double>{};
  }

  /// As those of basic_detector.
  void save(const std::string& path) const;
  template <formats::byte_sink Sink>
  void save(Sink& sink) const {
    save_to(sink);
  }
  void open(const std::string& path);
  void open(const formats::safetensors_file& file);
  [[nodiscard]] static basic_picture_detector load(const std::string& path, engine_type engine = engine_type{}) {
    basic_picture_detector made{options{}, std::move(engine)};
    made.open(path);
    return made;
  }

 private:
  using learned_type = detail::learned_of<scorer_type>;
  using run_type = detail::picture_run_of<scorer_type, context_type>;
  static constexpr index most_measured = 64;  // pictures that are enough for means, deviations and tails
  static constexpr bool sums_tails = needs_tails<typename Parts::aggregator_type>;

  /// What is known of normal pictures at one scale: of each view's pooled map, of the aggregated map's, and what the
  /// scorer has learned.
  struct scale_statistics {
    std::vector<view_statistics> views;
    std::vector<calibration::tail_curve> tails;  // of each view's pixels, where the aggregation needs them
    view_statistics whole;
    learned_type learned;
  };

  static options verified(options numbers) {
    numbers.verify();
    return numbers;
  }
  template <class Target>
  void save_to(Target& target) const;

  void check_picture(std::string_view who, tensor_view<const float, 3> picture, std::string_view name) const {
    check<data_error>(picture.size() > 0, who, ": ", name, " is empty");
    check<data_error>(picture.extent(2) == channels_, who, ": ", name, " has ", picture.extent(2),
                      " channels, the model has learned from ", channels_);
    check<data_error>(
        interest_.size() == 0 || (picture.extent(0) == interest_.extent(0) && picture.extent(1) == interest_.extent(1)),
        who, ": ", name, " is ", picture.extent(0), " x ", picture.extent(1),
        ", the region of interest is one of pictures of ", interest_.extent(0), " x ", interest_.extent(1));
    check<data_error>(std::ranges::all_of(picture.flat(), [](float v) { return std::isfinite(v); }), who, ": ", name,
                      " holds a value that is not finite");
  }
  [[nodiscard]] tensor<float, 3> reduced(tensor_view<const float, 3> picture, index scale) const {
    const index factor = numbers_.picture.reduction(scale);
    return formats::resize(picture, (picture.extent(0) + factor - 1) / factor,
                           (picture.extent(1) + factor - 1) / factor);
  }
  [[nodiscard]] tensor<float, 3> at_scale(tensor_view<const float, 3> picture, index scale) const {
    const auto small = reduced(picture, scale);
    tensor<float, 3> out{small.extents()};
    preprocessor_.apply(model_.engine(), small, out, scale);
    if (has_own_network(scale)) scale_to_unit(out);
    return out;
  }
  /// Which of rows x columns squares of a picture lie wholly in the region of interest; empty without one.
  [[nodiscard]] tensor<std::uint8_t, 2> wholly_inside(index rows, index columns) const {
    if (interest_.size() == 0) return {};
    tensor<std::uint8_t, 2> outside{interest_.extents()};
    const auto turned = [](std::uint8_t v) { return static_cast<std::uint8_t>(v == 0 ? 1 : 0); };
    std::ranges::transform(interest_.flat(), outside.data(), turned);
    auto out = detail::counted(outside, rows, columns, 0);
    std::ranges::transform(out.flat(), out.data(), turned);
    return out;
  }
  [[nodiscard]] auto squares_inside() const {
    return [this](index rows, index columns) { return wholly_inside(rows, columns); };
  }
  [[nodiscard]] std::vector<tensor<float, 3>> texture_of(tensor_view<const float, 3> picture) const {
    return texture_.features(reduced(picture, 0), squares_inside());
  }
  [[nodiscard]] std::vector<tensor<float, 2>> texture_maps(tensor_view<const float, 3> picture) const {
    return texture_.maps(texture_of(picture), squares_inside());
  }
  /// The coarser scales' own network sees deviations of 1 on average, and none above 8.
  void scale_to_unit(tensor_view<float, 3> picture) const {
    for (float& v : picture.flat()) v = std::clamp(v / static_cast<float>(coarse_unit_), -8.0F, 8.0F);
  }
  [[nodiscard]] static tensor<float, 2> resized(tensor_view<const float, 2> map, index height, index width) {
    return tensor<float, 2>{
        const_view(formats::resize({map.data(), {map.extent(0), map.extent(1), 1}}, height, width)).matrix()};
  }
  /// Calls f(piece (h, w, c), for_each_line) for the pieces that cover a prepared picture: all of it with its mirrored
  /// margin, or tiles of it. for_each_line(take) calls take(line, line in the piece, column, column in the piece,
  /// count) for each line of the picture that is judged from this piece.
  template <class F>
  void for_each_piece(tensor_view<const float, 3> picture, F&& f) const;
  /// A run over pieces of (height, width).
  [[nodiscard]] typename picture_runs<run_type>::lease planned(index scale, index height, index width) const;
  /// The views' maps (views, h, w) of a prepared picture: at a coarser scale those that the scorer wants there.
  [[nodiscard]] tensor<float, 3> views_of(tensor_view<const float, 3> picture, const learned_type& learned,
                                          index scale) const;
  /// One map of all views. Where the aggregation needs tails each view is blurred before its tail is looked up,
  /// otherwise the map is.
  [[nodiscard]] tensor<float, 2> aggregated(tensor<float, 3> views, const scale_statistics& normal) const;
  /// The map of one scale, in units that all scales share.
  [[nodiscard]] tensor<float, 2> map_at(tensor_view<const float, 3> picture, index scale,
                                        const scale_statistics& normal) const;
  /// The map of all scales together, at the size of the finest.
  [[nodiscard]] tensor<float, 2> map_of(tensor_view<const float, 3> picture,
                                        std::span<const scale_statistics> statistics) const;
  void blur_map(tensor_view<float, 2> map) const {
    if (map_blur_.empty()) return;
    tensor<float, 2> scratch{map.extents()};
    model_.engine().run(
        ops::blur<float>{map.data(), map.data(), scratch.data(), &map_blur_, 1, map.extent(0), map.extent(1), 1});
  }
  [[nodiscard]] bool has_focus() const noexcept { return interest_.size() > 0 || numbers_.picture.minimum_area > 1; }
  /// The score of a map that has the picture's size, what was dropped, and the map without what is outside.
  void focus(picture_finding& found, std::string_view name) const;
  /// The pooled inside of a map of the finest scale, or of one `coarser` times coarser.
  [[nodiscard]] double pooled(tensor_view<const float, 2> map, std::string_view name, index coarser = 1) const {
    const index wanted = numbers_.picture.border / coarser;
    if (interest_.size() > 0)
      return finite(
          detail::pool_counted(pooler_, map, detail::counted(interest_, map.extent(0), map.extent(1), wanted)), name);
    const index border = std::min(wanted, (std::min(map.extent(0), map.extent(1)) - 1) / 2);
    std::vector<float> inside;
    for (index i = border; i < map.extent(0) - border; ++i) {
      const auto line =
          map.row(i).subspan(static_cast<std::size_t>(border), static_cast<std::size_t>(map.extent(1) - 2 * border));
      inside.insert(inside.end(), line.begin(), line.end());
    }
    const std::array<index, 3> extents{map.extent(0) - 2 * border, map.extent(1) - 2 * border, 1};
    return finite(pool_sample(pooler_, inside, extents), name);
  }
  [[nodiscard]] static double finite(double score, std::string_view name) {
    check<numeric_error>(std::isfinite(score), "picture_detector::score: the score of ", name, " is not finite");
    return score;
  }
  [[nodiscard]] std::vector<double> scores_of(const picture_list& pictures, index first, index last,
                                              const progress_callback& report) const {
    std::vector<double> scores;
    for (index i = first; i < last; ++i) {
      const auto picture = pictures.load(i);
      check_picture("picture_detector", picture, pictures.name(i));
      picture_finding found{.map = map_of(picture, statistics_)};
      if (has_focus()) {
        found.map = resized(found.map, picture.extent(0), picture.extent(1));
        focus(found, pictures.name(i));
      } else {
        found.score = pooled(found.map, pictures.name(i));
      }
      scores.push_back(found.score);
      said(report, "calibrate", i + 1 - first, last - first);
    }
    return scores;
  }
  static void said(const progress_callback& report, const char* stage, index done, index total) {
    check<anodiff::stopped>(report({.stage = stage, .done = done, .total = total}),
                            "picture_detector: stopped by the progress callback while ", stage, " had ", total - done,
                            " pictures left");
  }
  /// All networks that there are; prepared holds `learning` pictures of each scale.
  void train(std::span<const tensor<float, 3>> prepared, index learning, const fit_options& how);
  /// One network, for `budget` seconds if that is not 0. Returns its steps and its loss.
  std::pair<index, double> train(model_type& model, std::span<const tensor<float, 3>> prepared, index side,
                                 const typename Parts::recipe_type::corruption_policy& corruption,
                                 const training_params& numbers, const fit_options& how, const std::string& identity);
  /// Learns the texture of some of the first `learning` pictures.
  void study_texture(const picture_list& pictures, index learning, const progress_callback& report);
  /// What the scorer learns, and the views' and maps' statistics, from prepared pictures of one scale.
  [[nodiscard]] scale_statistics measured(std::span<const tensor<float, 3>> prepared, index scale,
                                          const progress_callback& report) const;
  [[nodiscard]] std::string identity_of(std::span<const tensor<float, 3>> prepared) const;
  [[nodiscard]] bool has_own_network(index scale) const noexcept {
    return scale > 0 && numbers_.picture.coarse_network;
  }
  [[nodiscard]] const model_type& model_of(index scale) const noexcept {
    return has_own_network(scale) ? coarse_model_ : model_;
  }
  /// The scorer of a scale; it may be a simpler one where pictures are coarse.
  [[nodiscard]] scorer_type scorer_of([[maybe_unused]] index scale) const {
    if constexpr (requires { scorer_.coarse(); })
      if (scale > 0) return scorer_.coarse();
    return scorer_;
  }
  /// The context of a scorer for pieces of that size; the model borrowed.
  [[nodiscard]] context_type context(const model_type& model, index scale) const {
    return {model,
            prediction_,
            sampler_,
            grid_,
            conditioner_,
            levels_,
            numbers_.start,
            numbers_.steps,
            numbers_.seed,
            model.sample_shape().size(),
            numbers_.clipped(),
            has_own_network(scale) ? coarse_corruption_ : corruption_};
  }

  options numbers_;
  std::vector<noise_level> levels_;
  typename Parts::grid_type grid_;
  typename Parts::prediction_type prediction_;
  typename Parts::sampler_type sampler_;
  typename Parts::conditioner_type conditioner_;
  scorer_type scorer_;
  typename Parts::aggregator_type aggregator_;
  typename Parts::pooler_type pooler_;
  typename Parts::calibrator_type calibrator_;
  typename Parts::preprocessor_type preprocessor_;
  typename Parts::recipe_type::corruption_policy corruption_, coarse_corruption_;
  typename Parts::recipe_type::objective_policy objective_;
  picture_texture texture_;
  model_type model_;
  model_type coarse_model_;  // of the scales after the finest; unused where one network judges all
  double coarse_unit_ = 1;   // mean size of what it has learned from, before it was scaled
  std::vector<float> map_blur_;
  tensor<std::uint8_t, 2> interest_;  // (h, w) of every picture; empty: all of any picture counts

  index channels_ = 0;
  std::vector<scale_statistics> statistics_;  // of each scale
  std::optional<typename Parts::calibrator_type::fitted> calibrated_;
  fit_record record_;
  bool fitted_ = false;
  mutable picture_runs<run_type> runs_, coarse_runs_;
};

}  // namespace anodiff
