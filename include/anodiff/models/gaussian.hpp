// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/model.hpp>
#include <memory>

namespace anodiff::models {

struct gaussian_params {
  double ridge = 1e-6;  ///< share of the mean variance added to each variance; at least 0

  static constexpr void fields(auto& self, auto&& field) { field("ridge", self.ridge); }
};

/// The exact denoiser of Gaussian data: for x_0 ~ N(μ, Σ), x̂_0 = μ + alpha Σ (alpha² Σ + sigma² I)⁻¹ (x − alpha μ),
/// worked out in double along the axes of Σ. It is the oracle by which samplers are judged, and a detector for data of
/// one cloud.
template <engine Engine>
class gaussian {
  using stored_real = typename Engine::real;
  struct learned {
    Eigen::VectorXd mean, variance;
    Eigen::MatrixXd axes;           // columns: directions of Σ
    tensor<stored_real, 2> stored;  // (d + 2, d): mean, variance, axes, as the file has them
    /// Rounds to what the file holds, so that a loaded model is the same model.
    void store() {
      const index d = mean.size();
      stored = tensor<stored_real, 2>{{d + 2, d}};
      const auto put = [&](index row, index column, double& v) {
        stored(row, column) = static_cast<stored_real>(v);
        v = static_cast<double>(stored(row, column));
      };
      for (index j = 0; j < d; ++j) {
        put(0, j, mean[j]);
        put(1, j, variance[j]);
        for (index i = 0; i < d; ++i) put(2 + i, j, axes(i, j));
      }
    }
  };

 public:
  using params = gaussian_params;
  using engine_type = Engine;
  using real = typename Engine::real;
  static constexpr std::string_view name = "gaussian";
  static constexpr bool gives_clean = true;

  explicit gaussian(params p = {}, Engine engine = Engine{}) : params_{p}, engine_{std::move(engine)} {
    check(p.ridge >= 0, "models::gaussian: ridge must not be negative, got ", p.ridge);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] const Engine& engine() const noexcept { return engine_; }

  /// Takes mean and covariance of x (n, d), n >= 2; d at most 4096.
  void remember(tensor_view<const float, 2> x, std::uint64_t) {
    check(x.row_size() <= 4096, "models::gaussian: at most 4096 columns, got ", x.row_size());
    using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::MatrixXd z = Eigen::Map<const rows>(x.data(), x.rows(), x.row_size()).template cast<double>();
    const Eigen::VectorXd mean = z.colwise().mean();
    const Eigen::MatrixXd centred = z.rowwise() - mean.transpose();
    assume(mean, centred.transpose() * centred / static_cast<double>(x.rows()));
  }
  /// Takes mean (d) and covariance (d, d), symmetric and without negative directions.
  void assume(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved{covariance};
    auto made = std::make_shared<learned>();
    made->mean = mean;
    made->axes = solved.eigenvectors();
    const double floor = params_.ridge * std::max(covariance.trace() / static_cast<double>(mean.size()), 1e-300);
    made->variance = solved.eigenvalues().cwiseMax(0.0).array() + floor;
    made->store();
    learned_ = std::move(made);
  }

  class run {
   public:
    run(const gaussian& model, std::span<const noise_level> levels, index max_rows)
        : learned_{model.learned_},
          levels_(levels.begin(), levels.end()),
          out_(static_cast<std::size_t>(max_rows * learned_->mean.size())),
          along_(learned_->mean.size()),
          centred_(learned_->mean.size()) {}
    [[nodiscard]] const real* output(const real* x, const std::int32_t* level, index rows) {
      const index d = learned_->mean.size();
      using vector = Eigen::Matrix<real, Eigen::Dynamic, 1>;
      for (index i = 0; i < rows; ++i) {
        const auto [alpha, sigma, time] = levels_[static_cast<std::size_t>(level[i])];
        centred_ = Eigen::Map<const vector>(x + i * d, d).template cast<double>() - alpha * learned_->mean;
        along_.noalias() = learned_->axes.transpose() * centred_;
        along_.array() *=
            alpha * learned_->variance.array() / (alpha * alpha * learned_->variance.array() + sigma * sigma);
        centred_.noalias() = learned_->axes * along_;
        Eigen::Map<vector>(out_.data() + i * d, d) = (learned_->mean + centred_).template cast<real>();
      }
      return out_.data();
    }

   private:
    std::shared_ptr<const typename gaussian::learned> learned_;
    std::vector<noise_level> levels_;
    aligned_vector<real> out_;
    Eigen::VectorXd along_, centred_;
  };
  [[nodiscard]] run prepare(std::span<const noise_level> levels, index max_rows) const {
    return {*this, levels, max_rows};
  }

  template <class F>
  void tensors(F&& f) const {
    f("mean_variance_axes", learned_->stored.view());
  }
  template <class Find>
  void restore(const model_shape& shape, Find&& find) {
    const auto all = find(std::string_view{"mean_variance_axes"});
    const index d = shape.size();
    check<data_error>(all.extent(0) == d + 2 && all.extent(1) == d, "model 'gaussian': needs ", d + 2, " x ", d,
                      " values, got ", all.extent(0), " x ", all.extent(1));
    auto made = std::make_shared<learned>();
    made->mean.resize(d);
    made->variance.resize(d);
    made->axes.resize(d, d);
    for (index j = 0; j < d; ++j) {
      made->mean[j] = static_cast<double>(all(0, j));
      made->variance[j] = static_cast<double>(all(1, j));
      for (index i = 0; i < d; ++i) made->axes(i, j) = static_cast<double>(all(2 + i, j));
    }
    made->store();
    learned_ = std::move(made);
  }

 private:
  params params_;
  Engine engine_;
  std::shared_ptr<const learned> learned_;
};

}  // namespace anodiff::models
