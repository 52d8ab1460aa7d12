// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/ops/nearest.hpp>
#include <memory>
#include <numeric>

namespace anodiff::models {

struct knn_params {
  index reference_rows = 50'000;  ///< more training rows than this are thinned to a seeded random subset; at least 1

  static constexpr void fields(auto& self, auto&& field) { field("reference_rows", self.reference_rows); }
};

/// A model that remembers rows and finds those nearest to a query, exactly.
template <engine Engine>
class knn {
 public:
  using params = knn_params;
  using engine_type = Engine;
  using real = typename Engine::real;
  static constexpr std::string_view name = "knn";

  explicit knn(params p = {}, Engine engine = Engine{}) : params_{p}, engine_{std::move(engine)} {
    check(p.reference_rows >= 1, "models::knn: reference_rows must be at least 1, got ", p.reference_rows);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] const Engine& engine() const noexcept { return engine_; }

  /// How many of n rows remember() keeps.
  [[nodiscard]] index capacity(index n) const noexcept { return std::min(n, params_.reference_rows); }
  void remember(tensor_view<const float, 2> x, std::uint64_t seed) {
    remembered_.resize(static_cast<std::size_t>(x.rows()));
    std::iota(remembered_.begin(), remembered_.end(), index{0});
    if (x.rows() > params_.reference_rows) {
      const noise_key key{.seed = seed, .step = 1, .use = purpose::split};
      for (std::size_t i = 0; i < static_cast<std::size_t>(params_.reference_rows); ++i)
        std::swap(remembered_[i], remembered_[i + random_below(key, i, remembered_.size() - i)]);
      remembered_.resize(static_cast<std::size_t>(params_.reference_rows));
    }
    tensor<real, 2> rows{{static_cast<index>(remembered_.size()), x.row_size()}};
    for (index i = 0; i < rows.rows(); ++i)
      std::ranges::copy(x.row(remembered_[static_cast<std::size_t>(i)]), rows.row(i).begin());
    hold(std::move(rows));
  }
  /// Places of the remembered rows among those given to remember().
  [[nodiscard]] std::span<const index> remembered() const noexcept { return remembered_; }
  [[nodiscard]] tensor_view<const real, 2> rows() const noexcept { return held_->rows; }
  /// The remembered rows as the engine wants them for a product with queries.
  [[nodiscard]] const typename Engine::weight& product() const noexcept { return held_->product; }
  /// The same rows, in another form.
  void replace_rows(tensor<real, 2> rows) { hold(std::move(rows)); }

  /// The k nearest remembered rows of each query: squared distances, ascending, and places, both (n, k); exclude (n)
  /// names a row that each query must not find, or is empty.
  void neighbours(tensor_view<const real, 2> query, index k, std::span<const index> exclude, double* distance,
                  index* place) const {
    ops::nearest<real, const typename Engine::weight*> op{};
    op.query = query.data();
    op.reference = held_->rows.data();
    op.product = &held_->product;
    op.square = held_->square.data();
    op.exclude = exclude.empty() ? nullptr : exclude.data();
    op.rows = query.rows();
    op.count = held_->rows.rows();
    op.row_size = query.row_size();
    op.k = k;
    op.distance = distance;
    op.place = place;
    engine_.run(op);
  }

  template <class F>
  void tensors(F&& f) const {
    f("rows", held_->rows.view());
  }
  template <class Find>
  void restore(const model_shape& shape, Find&& find) {
    const auto found = find(std::string_view{"rows"});
    check<data_error>(found.rows() >= 1 && found.row_size() == shape.size(), "model 'knn': rows need ", shape.size(),
                      " columns, got ", found.row_size());
    tensor<real, 2> rows{found.extents()};
    std::ranges::copy(found.flat(), rows.flat().begin());
    remembered_.clear();
    hold(std::move(rows));
  }

 private:
  struct holding {
    tensor<real, 2> rows;
    typename Engine::weight product;
    aligned_vector<real> square;
  };
  void hold(tensor<real, 2> rows) {
    auto held = std::make_shared<holding>();
    held->product = engine_.prepare_transposed(rows.data(), rows.row_size(), rows.rows());
    for (index i = 0; i < rows.rows(); ++i) {
      double sum = 0;
      for (const real v : rows.row(i)) sum += static_cast<double>(v) * static_cast<double>(v);
      held->square.push_back(static_cast<real>(sum));
    }
    held->rows = std::move(rows);
    held_ = std::move(held);
  }

  params params_;
  Engine engine_;
  std::vector<index> remembered_;
  std::shared_ptr<const holding> held_;  // immutable once made: copies of the model share it
};

}  // namespace anodiff::models
