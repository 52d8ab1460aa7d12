// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/checkpoint.hpp>
#include <anodiff/pipeline/detector.hpp>

namespace anodiff {

template <class Parts>
std::vector<index> basic_detector<Parts>::categories_of(const fit_options& how, index d) {
  check(how.schema.empty() || static_cast<index>(how.schema.size()) == d, "detector::fit: ", how.schema.size(),
        " column schemas for ", d, " columns");
  std::vector<index> out(static_cast<std::size_t>(d));
  for (std::size_t j = 0; j < how.schema.size(); ++j) {
    check(part::takes_categories<preprocessor_type> || how.schema[j].kind == formats::column_kind::numeric,
          "detector::fit: column '", j < how.columns.size() ? how.columns[j] : concat(j),
          "' holds categories, and the preprocessing '", preprocessor_type::name,
          "' takes numbers alone; use preprocessing::mixed");
    out[j] = static_cast<index>(how.schema[j].categories.size());
  }
  return out;
}

template <class Parts>
template <class In>
void basic_detector<Parts>::fit_rows(tensor_view<const In, 2> x, std::vector<index> sample, const fit_options& how) {
  const index n = x.rows();
  check<data_error>(x.row_size() >= 1, "detector::fit: needs at least one column, got none");
  check<data_error>(n >= 2, "detector::fit: needs at least 2 rows to learn from, got ", n);
  check(how.columns.empty() || static_cast<index>(how.columns.size()) == x.row_size(),
        "detector::fit: ", how.columns.size(), " column names for ", x.row_size(), " columns");
  check_finite("detector::fit", x, how.columns);
  const auto categories = categories_of(how, x.row_size());

  // which rows learn, which only measure, which calibrate
  const auto order = shuffled_order(n, numbers_.seed);
  const bool calibrates = numbers_.calibration_share > 0;
  const index held_out = leaves_one_out ? 0 : held_out_of(n, numbers_.calibration_share, numbers_.calibration_limit);
  const index learning = n - held_out;
  index calibration_rows = calibrates ? held_out : 0;
  if constexpr (leaves_one_out) calibration_rows = calibrates ? rows_scored_without_self(n).second : 0;
  if (calibrates)  // a rate that so few rows cannot support is refused now, not after training
    check_calibration(calibration_rows);
  index validation_rows = 0;
  if constexpr (trainable<model_type>)
    if (learning >= 10)
      validation_rows = std::min(numbers_.calibration_limit,
                                 static_cast<index>(numbers_.training.validation * static_cast<double>(learning)));
  check(!Parts::aggregator_type::needs_statistics || validation_rows >= 2 || leaves_one_out,
        "detector::fit: the aggregation '", Parts::aggregator_type::name, "' needs at least 2 validation rows, got ",
        validation_rows, "; raise training.validation or give more rows");
  model_shape shape{sample, numbers_.seed};
  if constexpr (widens<preprocessor_type>) {
    check<data_error>(sample.size() == 1, "detector::fit: the preprocessing '", preprocessor_type::name,
                      "' takes rows, samples of one dimension, got ", sample.size());
    shape.sample = {preprocessor_.outputs(categories)};
  }
  plan_memory(shape, n);

  sample_ = std::move(sample);
  fitted_ = false;
  runs_.clear();
  calibrated_.reset();
  statistics_.clear();
  tensor<float, 2> z{{n, shape.size()}};
  preprocess(x, categories, order, learning, z);
  if constexpr (part::groups_its_outputs<preprocessor_type>) shape.groups = preprocessed_.groups();
  const auto rows = z.view();
  record_ = {.rows = n,
             .train_rows = learning - validation_rows,
             .validation_rows = validation_rows,
             .calibration_rows = calibration_rows,
             .columns = how.columns,
             .schema = how.schema};
  learn(rows.slice(0, learning), shape, how);

  if constexpr (leaves_one_out) {
    if (calibrates || Parts::aggregator_type::needs_statistics) calibrate_without_self(rows, how.progress);
  } else {
    if constexpr (Parts::aggregator_type::needs_statistics)
      statistics_ = view_statistics_of(rows.slice(learning - validation_rows, learning), {});
    if constexpr (judges_jointly) judge_views(rows.slice(0, std::min(learning, numbers_.calibration_limit)));
    if (calibrates) {
      const auto kept = rows.slice(learning, n);
      calibrate_on(score_prepared(kept, {}, false, how.progress, "calibrate").score, kept);
    }
  }
  fitted_ = true;
}

template <class Parts>
void basic_detector<Parts>::plan_memory(const model_shape& shape, index n) const {
  constexpr double raw_and_prepared = 12,
                   remembered = 12;  // bytes a value: double and float; rows, product, one spare
  double bytes = (raw_and_prepared + (trainable<model_type> ? 0 : remembered)) * static_cast<double>(n) *
                 static_cast<double>(shape.size());
  if constexpr (trainable<model_type>) {
    constexpr double copies = 8;  // weights, their gradient, both moments, the average, and what a checkpoint holds
    bytes += copies * sizeof(typename model_type::real) * static_cast<double>(model_.measure(shape));
  }
  check<memory_error>(bytes <= numbers_.memory_limit, "detector::fit: needs about ", std::ceil(bytes / 1e6), " MB for ",
                      n, " rows of ", shape.size(), " values, more than memory_limit (", numbers_.memory_limit / 1e6,
                      " MB); use fewer columns, a smaller model or a higher limit");
}

template <class Parts>
template <class In>
void basic_detector<Parts>::preprocess(tensor_view<const In, 2> x, std::span<const index> categories,
                                       std::span<const index> order, index learning, tensor<float, 2>& z) {
  const index d = x.row_size();
  tensor<double, 2> raw{{learning, d}};
  for (index i = 0; i < learning; ++i) {
    const auto from = x.row(order[static_cast<std::size_t>(i)]);
    std::transform(from.begin(), from.end(), raw.row(i).begin(), [](In v) { return static_cast<double>(v); });
  }
  if constexpr (part::takes_categories<preprocessor_type>)
    preprocessed_ = preprocessor_.fit(raw.view(), categories);
  else
    preprocessed_ = preprocessor_.fit(raw.view());
  std::vector<double> row(static_cast<std::size_t>(d));
  for (index i = 0; i < x.rows(); ++i) {
    const auto from = x.row(order[static_cast<std::size_t>(i)]);
    std::transform(from.begin(), from.end(), row.begin(), [](In v) { return static_cast<double>(v); });
    preprocessed_.apply(row, z.row(i));
  }
}

template <class Parts>
void basic_detector<Parts>::learn(tensor_view<const float, 2> rows, const model_shape& shape, const fit_options& how) {
  if constexpr (trainable<model_type>) {
    model_.build(shape);
    const row_source source{rows, record_.train_rows};
    using training_type = typename detail::trainer_of<model_type, typename Parts::prediction_type,
                                                      typename Parts::recipe_type::corruption_policy,
                                                      typename Parts::recipe_type::objective_policy>::type;
    training_type training{model_,  prediction_,       corruption_, objective_,
                           levels_, numbers_.training, source,      numbers_.seed};
    run_with_checkpoints(training, how, how.checkpoint.empty() ? "" : identity_of(rows), model_.parameter_count());
    const auto& state = training.state();
    record_.steps = state.step;
    record_.loss = state.loss;
    record_.validation = state.validation;
  } else {
    model_.remember(rows, numbers_.seed);
    record_.train_rows = rows.rows();
  }
}

template <class Parts>
std::string basic_detector<Parts>::identity_of(tensor_view<const float, 2> rows) const {
  checksum sum;
  sum.add(rows.flat());
  return fit_identity<Parts>(concat("rows ", rows.rows(), " x ", rows.row_size(), ", checksum ", sum.value()),
                             to_text(numbers_));
}

template <class Parts>
std::vector<view_statistics> basic_detector<Parts>::view_statistics_of(tensor_view<const float, 2> rows,
                                                                       std::span<const index> self) const {
  struct moments {  // Welford 1962: the sum of squares about the mean, without cancellation
    double mean = 0, square = 0;
  };
  std::vector<moments> views;
  for_each_block(rows, self, {}, "calibrate", [&](index first, tensor_view<const float, 3> evidence) {
    views.resize(static_cast<std::size_t>(evidence.extent(0)));
    for (std::size_t v = 0; v < views.size(); ++v) {
      const tensor_view<const float, 2> view{evidence.row(static_cast<index>(v)).data(),
                                             {evidence.extent(1), evidence.extent(2)}};
      for (index i = 0; i < view.rows(); ++i) {
        const double score = pooler_.pool(view.row(i)), change = score - views[v].mean;
        views[v].mean += change / static_cast<double>(first + i + 1);
        views[v].square += change * (score - views[v].mean);
      }
    }
  });
  std::vector<view_statistics> out;
  for (const auto& [mean, square] : views) {
    const double deviation = std::sqrt(square / static_cast<double>(rows.rows()));
    out.push_back({mean, deviation > 1e-9 * std::abs(mean) ? deviation : 1});
  }
  return out;
}

}  // namespace anodiff
