// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/safetensors.hpp>
#include <anodiff/pipeline/context.hpp>
#include <anodiff/pipeline/detection.hpp>
#include <anodiff/pipeline/detector_options.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <anodiff/pipeline/row_damage.hpp>
#include <anodiff/pipeline/run_cache.hpp>
#include <anodiff/pipeline/split.hpp>
#include <optional>

namespace anodiff {

template <class Detector>
class bounded_time;

/// Learns what normal samples look like, and scores how much a sample is not one of them. Parts names the policies; the
/// numbers are values. fit learns from normal samples alone, then calibrates on samples it has not learned from. score
/// is const and may be called from several threads. Results do not depend on batch, order or threads.
template <class Parts>
class basic_detector {
 public:
  using parts_type = Parts;
  using options = detector_options<Parts>;
  using model_type = typename Parts::model_type;
  using engine_type = typename model_type::engine_type;
  using context_type = scoring_context<Parts>;
  using preprocessor_type = typename Parts::preprocessor_type;
  static_assert(
      scorer_on<typename Parts::scorer_type, context_type>,
      "detector: the scorer cannot be prepared for this model: see concepts/scorer.hpp for what it must offer");
  static_assert(
      !needs_tails<typename Parts::aggregator_type>,
      "detector: this aggregation adds up rarities, which a picture detector alone makes of its views; use sum");

  explicit basic_detector(options numbers = {}, engine_type engine = engine_type{})
      : numbers_{verified(std::move(numbers))},
        schedule_{numbers_.schedule},
        levels_{schedule_.levels()},
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
        objective_{numbers_.objective},
        model_{numbers_.model, std::move(engine)} {}

  /// Learns from normal samples x (n, sample…), then calibrates. Throws invalid_argument for an unusable x or numbers,
  /// memory_error where the plan exceeds memory_limit, numeric_error where training diverges, stopped where the
  /// callback ends the calibration; what had been fitted before is then lost only if training had begun. A callback
  /// that ends the training is no failure: what has been learned is calibrated and kept.
  template <sample_array Samples>
  void fit(const Samples& samples, const fit_options& how = {}) {
    const auto x = const_view(samples);
    fit_rows(x.matrix(), sample_extents(x), how);
  }

  /// Scores samples x (n, sample…); evidence is kept if wanted. Throws invalid_argument before fit, data_error for
  /// samples of another shape or values that are not finite, numeric_error, naming the row, for a score that is not
  /// finite, stopped where the callback asks for it.
  template <sample_array Samples>
  [[nodiscard]] detection score(const Samples& samples, bool evidence = true,
                                const progress_callback& report = {}) const {
    check(fitted_, "detector::score: nothing has been learned yet; call fit or load first");
    const auto x = const_view(samples);
    check_samples("detector::score", x.matrix(), sample_extents(x));
    detection out = score_rows(x.matrix(), evidence, report);
    if constexpr (by_place)
      decide_by_place(x.matrix(), out);
    else
      decide(out);
    return out;
  }

  /// Calibrates anew on normal samples that the model has not learned from, at another rate if wanted; no refit.
  template <sample_array Samples>
  void calibrate(const Samples& samples, typename Parts::calibrator_type::params numbers) {
    check(fitted_, "detector::calibrate: nothing has been learned yet; call fit or load first");
    const auto x = const_view(samples);
    check_samples("detector::calibrate", x.matrix(), sample_extents(x));
    const typename Parts::calibrator_type calibrator{numbers};
    const auto scores = score_rows(x.matrix(), false, {}).score;
    if constexpr (by_place)
      calibrated_ = calibrator.fit(scores, const_view(prepared(x.matrix())));
    else
      calibrated_ = calibrator.fit(scores);
    calibrator_ = calibrator;
    numbers_.calibration = numbers;
    record_.calibration_rows = x.rows();
  }

  [[nodiscard]] bool is_fitted() const noexcept { return fitted_; }
  [[nodiscard]] const options& numbers() const noexcept { return numbers_; }
  [[nodiscard]] const fit_record& record() const noexcept { return record_; }
  [[nodiscard]] const model_type& model() const noexcept { return model_; }
  [[nodiscard]] const auto& preprocessing() const noexcept { return preprocessed_; }
  /// The false-alarm rate promised for normal samples; empty without calibration.
  [[nodiscard]] std::optional<double> promised_rate() const {
    return calibrated_ ? std::optional{calibrated_->promised()} : std::nullopt;
  }
  [[nodiscard]] std::optional<double> threshold() const {
    return calibrated_ ? std::optional{calibrated_->threshold()} : std::nullopt;
  }
  /// Network calls that one sample costs; 0 for models that remember. An adaptive sampler counts as one that visits all
  /// of its levels: what a row takes depends on the row.
  [[nodiscard]] index network_calls() const {
    if constexpr (denoiser<model_type> || time_estimator<model_type>) return scorer_.network_calls(context());
    return 0;
  }

  /// Writes everything that scoring needs to one safetensors file, whole or not at all. Throws invalid_argument before
  /// fit, io_error where the file cannot be written.
  void save(const std::string& path) const;
  /// The same bytes to a sink: a formats::buffer in memory, or an open file.
  template <formats::byte_sink Sink>
  void save(Sink& sink) const {
    save_to(sink);
  }
  /// Becomes the detector that was saved: its numbers, its model, its calibration. Throws data_error, and stays as it
  /// was, where the file is damaged, was made by a newer version, or holds another kind of detector.
  void open(const std::string& path);
  /// The same from a file that has been read; formats::parse_safetensors makes one of bytes in memory.
  void open(const formats::safetensors_file& file);
  [[nodiscard]] static basic_detector load(const std::string& path, engine_type engine = engine_type{}) {
    basic_detector made{options{}, std::move(engine)};
    made.open(path);
    return made;
  }

 private:
  friend class bounded_time<basic_detector>;
  template <class Target>
  void save_to(Target& target) const;
  static options verified(options numbers) {
    numbers.verify();
    return numbers;
  }
  template <class In, std::size_t Rank>
  [[nodiscard]] static std::vector<index> sample_extents(const tensor_view<const In, Rank>& x) {
    static_assert(Rank >= 2, "detector: samples need at least two dimensions: (n, columns)");
    return {x.extents().begin() + 1, x.extents().end()};
  }
  /// Values of a row once it is preprocessed.
  [[nodiscard]] index row_size() const noexcept {
    if constexpr (widens<preprocessor_type>)
      return preprocessed_.outputs();
    else
      return model_shape{sample_, 0}.size();
  }
  [[nodiscard]] index columns() const noexcept { return model_shape{sample_, 0}.size(); }
  [[nodiscard]] context_type context() const {
    return {model_,         prediction_,    sampler_,      grid_,      conditioner_,       levels_,
            numbers_.start, numbers_.steps, numbers_.seed, row_size(), numbers_.clipped(), corruption_};
  }
  using run_type = decltype(std::declval<const typename Parts::scorer_type&>().prepare(
      std::declval<const context_type&>(), index{}));
  static constexpr bool leaves_one_out = part::leaves_one_out<run_type>;
  static constexpr bool by_place = place_calibrator<typename Parts::calibrator_type>;
  static constexpr bool judges_jointly = joint_aggregator<typename Parts::aggregator_type>;
  static_assert(
      !judges_jointly || !leaves_one_out,
      "detector: a joint aggregation learns from views of the learned rows, of which a scorer that leaves one "
      "out has none that count");

  template <class In>
  static void check_finite(std::string_view who, tensor_view<const In, 2> x, std::span<const std::string> columns) {
    if constexpr (std::floating_point<In>)
      for (index i = 0; i < x.rows(); ++i)
        for (index j = 0; j < x.row_size(); ++j) {
          if (std::isfinite(x(i, j))) [[likely]]
            continue;
          if (handles_missing<preprocessor_type> && std::isnan(x(i, j))) continue;
          const auto at = static_cast<std::size_t>(j);
          throw data_error(concat(who, ": row ", i + 1, ", column '", at < columns.size() ? columns[at] : concat(j),
                                  "' is ", std::isnan(x(i, j)) ? "NaN" : "infinite", "; replace or remove it first"));
        }
  }
  template <class In>
  void check_samples(std::string_view who, tensor_view<const In, 2> x, const std::vector<index>& sample) const {
    const auto text = [](const std::vector<index>& extents) {
      std::string out;
      for (const index e : extents) out += concat(out.empty() ? "" : " x ", e);
      return out;
    };
    check<data_error>(sample == sample_, who, ": needs samples of ", text(sample_),
                      sample_.size() == 1 ? " columns" : "", ", got ", text(sample));
    check_finite(who, x, record_.columns);
  }

  /// The number of categories of each column; 0 = numeric.
  [[nodiscard]] static std::vector<index> categories_of(const fit_options& how, index d);
  template <class In>
  void fit_rows(tensor_view<const In, 2> x, std::vector<index> sample, const fit_options& how);
  void check_calibration(index rows) const {
    if constexpr (by_place)
      calibrator_.check_count(rows);
    else
      (void)calibrator_.fit(std::vector<double>(static_cast<std::size_t>(rows)));
  }
  void calibrate_on(std::span<const double> scores, [[maybe_unused]] tensor_view<const float, 2> rows) {
    if constexpr (by_place)
      calibrated_ = calibrator_.fit(scores, rows);
    else
      calibrated_ = calibrator_.fit(scores);
  }
  /// Of n rows given to fit: how many remembered ones give the views' statistics, and how many calibrate.
  [[nodiscard]] std::pair<index, index> rows_scored_without_self(index n) const requires leaves_one_out {
    const index count = std::min(model_.capacity(n), numbers_.calibration_limit);
    const index statistics = Parts::aggregator_type::needs_statistics ? count / 2 : 0;
    return {statistics, count - statistics};
  }
  /// Refuses a fit whose large arrays would exceed the limit.
  void plan_memory(const model_shape& shape, index n) const;
  /// z = the preprocessed rows in the given order; the preprocessing learns from the first `learning` of them.
  template <class In>
  void preprocess(tensor_view<const In, 2> x, std::span<const index> categories, std::span<const index> order,
                  index learning, tensor<float, 2>& z);
  void learn(tensor_view<const float, 2> rows, const model_shape& shape, const fit_options& how);
  [[nodiscard]] std::string identity_of(tensor_view<const float, 2> rows) const;
  /// Statistics and calibration of a scorer that leaves one out: on remembered rows, each scored without itself. Where
  /// the aggregation needs statistics, one half of the rows gives them and the other half calibrates.
  void calibrate_without_self(tensor_view<const float, 2> rows,
                              const progress_callback& report) requires leaves_one_out {
    const auto remembered = model_.remembered();  // places of the remembered rows among those given
    const auto [first, calibrating] = rows_scored_without_self(rows.rows());
    const index count = first + calibrating;
    tensor<float, 2> sample{{count, rows.row_size()}};
    std::vector<index> self(static_cast<std::size_t>(count));
    for (index i = 0; i < count; ++i) {
      self[static_cast<std::size_t>(i)] = i;
      std::ranges::copy(rows.row(remembered[static_cast<std::size_t>(i)]), sample.row(i).begin());
    }
    const auto split = static_cast<std::size_t>(first);
    const std::span<const index> all{self};
    if constexpr (Parts::aggregator_type::needs_statistics)
      statistics_ = view_statistics_of(sample.view().slice(0, first), all.first(split));
    if (numbers_.calibration_share == 0) return;
    const auto scored =
        score_prepared(sample.view().slice(first, count), all.subspan(split), false, report, "calibrate");
    calibrate_on(scored.score, sample.view().slice(first, count));
  }
  /// What the aggregation learns from the views of normal rows, and of the same rows damaged.
  void judge_views(tensor_view<const float, 2> rows) requires judges_jointly {
    const auto normal = pooled_views(rows);
    tensor<double, 2> damaged{{0, normal.row_size()}};
    if constexpr (Parts::aggregator_type::needs_generated)
      damaged = pooled_views(const_view(damaged_rows(rows, numbers_.seed)));
    joint_ = aggregator_.fit(normal.view(), damaged.view(), numbers_.seed);
  }
  [[nodiscard]] tensor<double, 2> pooled_views(tensor_view<const float, 2> rows) const {
    tensor<double, 2> out;
    for_each_block(rows, {}, {}, "calibrate", [&](index first, tensor_view<const float, 3> evidence) {
      if (first == 0) out = tensor<double, 2>{{rows.rows(), evidence.extent(0)}};
      for (index i = 0; i < evidence.extent(1); ++i) pool_views(evidence, i, out.row(first + i));
    });
    return out;
  }
  /// to[v] = row i of view v, pooled.
  void pool_views(tensor_view<const float, 3> evidence, index i, std::span<double> to) const {
    const auto d = static_cast<std::size_t>(evidence.extent(2));
    for (std::size_t v = 0; v < to.size(); ++v)
      to[v] = pooler_.pool({evidence.row(static_cast<index>(v)).data() + static_cast<std::size_t>(i) * d, d});
  }
  [[nodiscard]] std::vector<view_statistics> view_statistics_of(tensor_view<const float, 2> rows,
                                                                std::span<const index> self) const;

  /// Rows of a block, so that its evidence stays near 8 MB.
  [[nodiscard]] static index block_rows(index views, index row_size) noexcept {
    return std::clamp<index>((index{1} << 21) / std::max<index>(1, views * row_size), 1, 1024);
  }
  /// Runs the scorer over prepared rows in blocks: f(first row, evidence (views, rows, d)).
  template <class F>
  void for_each_block(tensor_view<const float, 2> rows, std::span<const index> self, const progress_callback& report,
                      const char* stage, F&& f) const {
    const index d = rows.row_size();
    auto lease = runs_.take(std::clamp<index>(rows.rows(), 1, 1024), [&](index max_rows) {
      planned_run<run_type> made{std::make_unique<run_type>(scorer_.prepare(context(), max_rows)), {}, max_rows};
      const index block = std::min(block_rows(made.run->views(), d), max_rows);
      made.evidence.resize(static_cast<std::size_t>(made.run->views() * block * d));
      return made;
    });
    auto& run = *lease.run;
    const index block = std::min(block_rows(run.views(), d), lease.max_rows);
    const auto start_time = std::chrono::steady_clock::now();
    for (index first = 0; first < rows.rows(); first += block) {
      const index last = std::min(rows.rows(), first + block);
      const tensor_view<float, 3> evidence{lease.evidence.data(), {run.views(), last - first, d}};
      if constexpr (leaves_one_out) {
        if (!self.empty())
          run.evidence_without(rows.slice(first, last),
                               self.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)),
                               evidence);
        else
          run.evidence(rows.slice(first, last), evidence);
      } else {
        run.evidence(rows.slice(first, last), evidence);
      }
      if constexpr (leaves_gaps<preprocessor_type>) clear_gaps(rows.slice(first, last), evidence);
      f(first, tensor_view<const float, 3>{of_columns(evidence)});
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_time).count();
      check<anodiff::stopped>(report({.stage = stage, .done = last, .total = rows.rows(), .seconds = seconds}),
                              "detector: stopped by the progress callback while ", stage, " had ", rows.rows() - last,
                              " rows left");
    }
  }
  /// What is missing is no evidence.
  static void clear_gaps(tensor_view<const float, 2> rows, tensor_view<float, 3> evidence) noexcept {
    for (index v = 0; v < evidence.extent(0); ++v)
      for (index e = 0; e < rows.size(); ++e)
        if (std::isnan(rows.data()[e])) evidence.row(v)[static_cast<std::size_t>(e)] = 0;
  }
  /// Evidence (views, rows, outputs) as (views, rows, columns), in the same memory: a column has that of its outputs.
  [[nodiscard]] tensor_view<float, 3> of_columns(tensor_view<float, 3> evidence) const {
    if constexpr (widens<preprocessor_type>) {
      const index rows = evidence.extent(0) * evidence.extent(1), outputs = evidence.extent(2);
      std::vector<float> sum(static_cast<std::size_t>(columns()));
      for (index i = 0; i < rows; ++i) {
        std::ranges::fill(sum, 0.0F);
        for (index o = 0; o < outputs; ++o)
          sum[static_cast<std::size_t>(preprocessed_.origin(o))] += evidence.data()[i * outputs + o];
        std::ranges::copy(sum, evidence.data() + i * columns());
      }
      return {evidence.data(), {evidence.extent(0), evidence.extent(1), columns()}};
    } else {
      return evidence;
    }
  }
  [[nodiscard]] detection score_prepared(tensor_view<const float, 2> rows, std::span<const index> self,
                                         bool keep_evidence, const progress_callback& report, const char* stage,
                                         index rows_before = 0) const {
    detection out;
    out.score.resize(static_cast<std::size_t>(rows.rows()));
    if (keep_evidence) out.evidence = tensor<float, 2>{{rows.rows(), columns()}};
    for_each_block(rows, self, report, stage, [&](index first, tensor_view<const float, 3> evidence) {
      reduce(first, rows_before, evidence, keep_evidence, out);
    });
    return out;
  }
  template <class In>
  [[nodiscard]] detection score_rows(tensor_view<const In, 2> x, bool keep_evidence,
                                     const progress_callback& report) const {
    constexpr index stretch = 65536;  // raw rows are prepared a stretch at a time: a large table is never held twice
    if (x.rows() <= stretch) return score_prepared(prepared(x), {}, keep_evidence, report, "score");
    detection out;
    if (keep_evidence) out.evidence = tensor<float, 2>{{x.rows(), x.row_size()}};
    const auto start_time = std::chrono::steady_clock::now();
    for (index first = 0; first < x.rows(); first += stretch) {
      const index last = std::min(x.rows(), first + stretch);
      const auto whole = [&](const progress& p) {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_time).count();
        return report({.stage = p.stage, .done = first + p.done, .total = x.rows(), .seconds = seconds});
      };
      const detection piece = score_prepared(prepared(x.slice(first, last)), {}, keep_evidence, whole, "score", first);
      out.score.insert(out.score.end(), piece.score.begin(), piece.score.end());
      if (keep_evidence) std::ranges::copy(piece.evidence.flat(), out.evidence.row(first).begin());
    }
    return out;
  }
  template <class In>
  [[nodiscard]] tensor<float, 2> prepared(tensor_view<const In, 2> x) const {
    tensor<float, 2> z{{x.rows(), row_size()}};
    std::vector<double> row(static_cast<std::size_t>(x.row_size()));
    for (index i = 0; i < x.rows(); ++i) {
      const auto from = x.row(i);
      std::transform(from.begin(), from.end(), row.begin(), [](In v) { return static_cast<double>(v); });
      preprocessed_.apply(row, z.row(i));
    }
    return z;
  }
  /// Aggregates the views of each element, then pools each row.
  void reduce(index first, index rows_before, tensor_view<const float, 3> evidence, bool keep, detection& out) const {
    const index views = evidence.extent(0), rows = evidence.extent(1), d = evidence.extent(2);
    std::vector<double> values(static_cast<std::size_t>(views));
    std::vector<float> row(static_cast<std::size_t>(d));
    std::vector<double> slope(judges_jointly ? values.size() : 0);
    for (index i = 0; i < rows; ++i) {
      double score = 0;
      if constexpr (judges_jointly) {
        pool_views(evidence, i, values);
        score = joint_.score(values, slope);
        if (keep) share_out(evidence, i, score, slope, row);
      } else {
        for (index j = 0; j < d; ++j) {
          for (index v = 0; v < views; ++v)
            values[static_cast<std::size_t>(v)] = static_cast<double>(evidence.data()[(v * rows + i) * d + j]);
          row[static_cast<std::size_t>(j)] = static_cast<float>(aggregator_.reduce(values, statistics_));
        }
        score = pooler_.pool(row);
      }
      check<numeric_error>(std::isfinite(score), "detector::score: the score of row ", rows_before + first + i + 1,
                           " is not finite");
      out.score[static_cast<std::size_t>(first + i)] = score;
      if (keep) std::ranges::copy(row, out.evidence.row(first + i).begin());
    }
  }
  /// out[j] = element j's part of the score: its own views, each by how much the score depends on it.
  static void share_out(tensor_view<const float, 3> evidence, index i, double score, std::span<const double> slope,
                        std::span<float> out) {
    const auto part = [&](std::size_t j) {
      double sum = 0;
      for (std::size_t v = 0; v < slope.size(); ++v)
        sum += std::abs(slope[v]) *
               static_cast<double>(
                   evidence.data()[(static_cast<std::size_t>(evidence.extent(1)) * v + static_cast<std::size_t>(i)) *
                                       out.size() +
                                   j]);
      return std::max(0.0, sum);
    };
    double total = 0;
    for (std::size_t j = 0; j < out.size(); ++j) total += part(j);
    const auto d = static_cast<double>(out.size());
    for (std::size_t j = 0; j < out.size(); ++j)
      out[j] = static_cast<float>(total > 0 ? d * score * (part(j) / total) : score);
  }
  template <class In>
  void decide_by_place(tensor_view<const In, 2> x, detection& out) const {
    if (!calibrated_) return;
    for (index i = 0; i < x.rows(); ++i) {
      const auto row = prepared(x.slice(i, i + 1));
      const double score = out.score[static_cast<std::size_t>(i)];
      out.p_value.push_back(calibrated_->p_value(score, row.row(0)));
      out.is_anomaly.push_back(score > calibrated_->threshold(row.row(0)) ? 1 : 0);
    }
  }
  void decide(detection& out) const {
    if (!calibrated_) return;
    for (const double score : out.score) {
      out.p_value.push_back(calibrated_->p_value(score));
      out.is_anomaly.push_back(score > calibrated_->threshold() ? 1 : 0);
    }
  }

  options numbers_;
  typename Parts::schedule_type schedule_;
  std::vector<noise_level> levels_;
  typename Parts::grid_type grid_;
  typename Parts::prediction_type prediction_;
  typename Parts::sampler_type sampler_;
  typename Parts::conditioner_type conditioner_;
  typename Parts::scorer_type scorer_;
  typename Parts::aggregator_type aggregator_;
  typename Parts::pooler_type pooler_;
  typename Parts::calibrator_type calibrator_;
  typename Parts::preprocessor_type preprocessor_;
  typename Parts::recipe_type::corruption_policy corruption_;
  typename Parts::recipe_type::objective_policy objective_;
  model_type model_;

  std::vector<index> sample_;
  typename Parts::preprocessor_type::fitted preprocessed_;
  std::vector<view_statistics> statistics_;
  [[no_unique_address]] typename detail::joint_of<typename Parts::aggregator_type>::type joint_;
  std::optional<typename Parts::calibrator_type::fitted> calibrated_;
  fit_record record_;
  bool fitted_ = false;
  mutable run_cache<run_type> runs_;
};

}  // namespace anodiff
