// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/knn.hpp>
#include <cmath>
#include <numeric>
#include <string_view>

/// What detectors are measured against: not part of the library. Each scores standardised test rows from standardised
/// training rows; higher is more anomalous.
namespace adbench {

using anodiff::index;
using anodiff::tensor_view;

struct labelled_scores {
  std::vector<double> score;
};

/// Local outlier factor of new rows (Breunig et al. 2000), k neighbours, in scikit-learn's form: a training row is not
/// its own neighbour, and 1e-10 keeps the density of duplicates finite.
inline std::vector<double> local_outlier_factor(tensor_view<const float, 2> train, tensor_view<const float, 2> test,
                                                index k = 20) {
  k = std::min(k, train.rows() - 1);
  anodiff::models::knn<anodiff::cpu_engine> model{{.reference_rows = train.rows()}, anodiff::cpu_engine{1}};
  model.remember(train, 0);
  const auto find = [&](tensor_view<const float, 2> x, std::span<const index> self) {
    std::pair<std::vector<double>, std::vector<index>> out;
    out.first.resize(static_cast<std::size_t>(x.rows() * k));
    out.second.resize(out.first.size());
    model.neighbours(x, k, self, out.first.data(), out.second.data());
    for (double& square : out.first) square = std::sqrt(square);
    return out;
  };
  std::vector<index> self(static_cast<std::size_t>(train.rows()));
  std::iota(self.begin(), self.end(), index{0});
  const auto [train_distance, train_place] = find(train, self);
  const auto reach = [&, &own = train_distance](index place) {
    return own[static_cast<std::size_t>((place + 1) * k - 1)];
  };
  const auto density = [&](const std::vector<double>& distance, const std::vector<index>& place, index i) {
    double sum = 0;
    for (index n = i * k; n < (i + 1) * k; ++n)
      sum += std::max(distance[static_cast<std::size_t>(n)], reach(place[static_cast<std::size_t>(n)]));
    return 1 / (sum / static_cast<double>(k) + 1e-10);
  };
  std::vector<double> train_density;
  for (index i = 0; i < train.rows(); ++i) train_density.push_back(density(train_distance, train_place, i));
  const auto [distance, place] = find(test, {});
  std::vector<double> out;
  for (index i = 0; i < test.rows(); ++i) {
    double sum = 0;
    for (index n = i * k; n < (i + 1) * k; ++n)
      sum += train_density[static_cast<std::size_t>(place[static_cast<std::size_t>(n)])];
    out.push_back(sum / static_cast<double>(k) / density(distance, place, i));
  }
  return out;
}

/// Isolation forest (Liu, Ting & Zhou 2008): 100 trees on 256 rows each; 2^(−mean depth / c(256)).
inline std::vector<double> isolation_forest(tensor_view<const float, 2> train, tensor_view<const float, 2> test,
                                            std::uint64_t seed) {
  struct node {
    index column = -1;
    float cut = 0;
    std::size_t left = 0, right = 0;
    double depth = 0;
  };
  const auto usual = [](double n) {
    return n > 2 ? 2 * (std::log(n - 1) + 0.5772156649015329) - 2 * (n - 1) / n : n == 2 ? 1.0 : 0.0;
  };
  const auto sample = std::min<index>(256, train.rows());
  const auto deepest = static_cast<int>(std::ceil(std::log2(static_cast<double>(std::max<index>(sample, 2)))));
  constexpr int trees = 100;
  std::vector<double> depth(static_cast<std::size_t>(test.rows()));
  for (int tree = 0; tree < trees; ++tree) {
    const anodiff::noise_key key{
        .seed = seed, .draw = static_cast<std::uint32_t>(tree), .use = anodiff::purpose::repeat};
    std::uint64_t drawn = 0;
    std::vector<index> rows(static_cast<std::size_t>(train.rows()));
    std::iota(rows.begin(), rows.end(), index{0});
    for (std::size_t i = 0; i < static_cast<std::size_t>(sample); ++i)
      std::swap(rows[i], rows[i + anodiff::random_below(key, drawn++, rows.size() - i)]);
    rows.resize(static_cast<std::size_t>(sample));
    std::vector<node> nodes;
    const auto grow = [&](auto& self, std::span<index> part, int level) -> std::size_t {
      const std::size_t at = nodes.size();
      nodes.emplace_back();
      nodes[at].depth = level + usual(static_cast<double>(part.size()));
      if (part.size() <= 1 || level >= deepest) return at;
      std::vector<index> varying;
      std::vector<std::pair<float, float>> range;
      for (index j = 0; j < train.row_size(); ++j) {
        float low = train(part[0], j), high = low;
        for (const index i : part) {
          low = std::min(low, train(i, j));
          high = std::max(high, train(i, j));
        }
        if (low < high) {
          varying.push_back(j);
          range.emplace_back(low, high);
        }
      }
      if (varying.empty()) return at;
      const auto pick = static_cast<std::size_t>(anodiff::random_below(key, drawn++, varying.size()));
      const index column = varying[pick];
      const auto share = static_cast<float>(anodiff::random_uniform(key, drawn++));
      const float cut = std::lerp(range[pick].first, range[pick].second, share);
      const auto middle = std::partition(part.begin(), part.end(), [&](index i) { return train(i, column) <= cut; });
      const auto size = static_cast<std::size_t>(middle - part.begin());
      if (size == 0 || size == part.size()) return at;
      const std::size_t left = self(self, part.first(size), level + 1),
                        right = self(self, part.subspan(size), level + 1);
      nodes[at].column = column;
      nodes[at].cut = cut;
      nodes[at].left = left;
      nodes[at].right = right;
      return at;
    };
    grow(grow, rows, 0);
    for (index i = 0; i < test.rows(); ++i) {
      std::size_t at = 0;
      while (nodes[at].column >= 0) at = test(i, nodes[at].column) <= nodes[at].cut ? nodes[at].left : nodes[at].right;
      depth[static_cast<std::size_t>(i)] += nodes[at].depth / trees;
    }
  }
  for (double& d : depth) d = std::exp2(-d / usual(static_cast<double>(sample)));
  return depth;
}

/// Squared Mahalanobis distance to the training mean, the covariance shrunk by a hundredth towards a sphere.
inline std::vector<double> full_gaussian(tensor_view<const float, 2> train, tensor_view<const float, 2> test) {
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto as_matrix = [](tensor_view<const float, 2> x) -> Eigen::MatrixXd {
    return Eigen::Map<const rows>(x.data(), x.rows(), x.row_size()).cast<double>();
  };
  const Eigen::MatrixXd x = as_matrix(train);
  const Eigen::RowVectorXd mean = x.colwise().mean();
  const Eigen::MatrixXd centred = x.rowwise() - mean;
  Eigen::MatrixXd covariance = centred.transpose() * centred / static_cast<double>(x.rows());
  const double spread = covariance.trace() / static_cast<double>(x.cols());
  covariance = 0.99 * covariance;
  covariance.diagonal().array() += 0.01 * spread + 1e-9;
  const Eigen::LLT<Eigen::MatrixXd> factor{covariance};
  const Eigen::MatrixXd away = (as_matrix(test).rowwise() - mean).transpose();
  const Eigen::MatrixXd solved = factor.matrixL().solve(away);
  std::vector<double> out;
  for (index i = 0; i < test.rows(); ++i) out.push_back(solved.col(i).squaredNorm());
  return out;
}

/// Squared length of the standardised row.
inline std::vector<double> row_norm(tensor_view<const float, 2> test) {
  std::vector<double> out;
  for (index i = 0; i < test.rows(); ++i) {
    double sum = 0;
    for (const float v : test.row(i)) sum += static_cast<double>(v) * static_cast<double>(v);
    out.push_back(sum);
  }
  return out;
}

/// Draws a score; what a detector that has learned nothing reaches.
inline std::vector<double> random_score(index rows, std::uint64_t seed) {
  std::vector<double> out;
  const anodiff::noise_key key{.seed = seed, .use = anodiff::purpose::repeat};
  for (index i = 0; i < rows; ++i) out.push_back(anodiff::random_uniform(key, static_cast<std::uint64_t>(i)));
  return out;
}

}  // namespace adbench
