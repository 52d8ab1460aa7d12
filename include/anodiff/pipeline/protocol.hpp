// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <anodiff/pipeline/split.hpp>
#include <cmath>
#include <span>

namespace anodiff {

/// Which rows of a labelled table train and which test. Training rows are normal.
struct labelled_split {
  std::vector<index> train, test;
};

/// The honest protocol: a table above `cap` rows (0 = no cap) is thinned to a random subset with the same share of
/// anomalies; the first half of the permuted normals trains, all else tests; nothing is resampled. The same seed gives
/// the same split on every machine. labels (n): 0 normal, 1 anomaly. Throws data_error for fewer than 4 normals or no
/// anomaly.
[[nodiscard]] inline labelled_split shuffled_protocol(std::span<const int> labels, std::uint64_t seed,
                                                      index cap = 20'000) {
  std::vector<index> normals, anomalies;
  for (const index i : shuffled_order(static_cast<index>(labels.size()), seed))
    (labels[static_cast<std::size_t>(i)] == 0 ? normals : anomalies).push_back(i);
  check<data_error>(normals.size() >= 4 && !anomalies.empty(),
                    "shuffled protocol: needs at least 4 normal rows and 1 anomaly, got ", normals.size(), " and ",
                    anomalies.size());
  if (cap > 0 && static_cast<index>(labels.size()) > cap) {
    const double share = static_cast<double>(cap) / static_cast<double>(labels.size());
    const auto kept =
        std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(share * static_cast<double>(anomalies.size()))));
    anomalies.resize(kept);
    normals.resize(static_cast<std::size_t>(cap) - kept);
  }
  labelled_split out;
  const auto half = static_cast<std::ptrdiff_t>(normals.size() / 2);
  out.train.assign(normals.begin(), normals.begin() + half);
  out.test.assign(normals.begin() + half, normals.end());
  out.test.insert(out.test.end(), anomalies.begin(), anomalies.end());
  return out;
}

/// The protocol of the DTE paper (arXiv:2305.18593), for comparison with its figures only: below 1000 rows the table is
/// resampled with replacement to 1000, above 50,000 thinned to 50,000; then, in file order, the first half of the
/// normals trains and the rest tests. It leaks copies of training rows into small test sets, and file order is a
/// covariate shift.
[[nodiscard]] inline labelled_split published_protocol(std::span<const int> labels, std::uint64_t seed) {
  const auto n = static_cast<index>(labels.size());
  constexpr index fewest = 1000, most = 50'000;
  std::vector<index> rows;
  if (n < fewest) {
    const noise_key key{.seed = seed, .use = purpose::split};
    for (index i = 0; i < fewest; ++i)
      rows.push_back(
          static_cast<index>(random_below(key, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n))));
  } else {
    rows = shuffled_order(n, seed);
    rows.resize(static_cast<std::size_t>(std::min(n, most)));
    if (n <= most) std::sort(rows.begin(), rows.end());
  }
  labelled_split out;
  std::vector<index> anomalies;
  const auto normal = [&](index i) { return labels[static_cast<std::size_t>(i)] == 0; };
  const auto normals = std::count_if(rows.begin(), rows.end(), normal);
  const auto half =
      static_cast<std::size_t>(std::nearbyint(static_cast<double>(normals) / 2));  // ties to even, as published
  for (const index i : rows) {
    if (!normal(i))
      anomalies.push_back(i);
    else
      (out.train.size() < half ? out.train : out.test).push_back(i);
  }
  check<data_error>(out.train.size() >= 2 && !anomalies.empty(),
                    "published protocol: needs at least 4 normal rows and 1 anomaly, got ", normals, " and ",
                    anomalies.size());
  out.test.insert(out.test.end(), anomalies.begin(), anomalies.end());
  return out;
}

/// The chosen rows of x (n, d), in that order.
[[nodiscard]] inline tensor<double, 2> take_rows(tensor_view<const double, 2> x, std::span<const index> rows) {
  tensor<double, 2> out{{static_cast<index>(rows.size()), x.row_size()}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(x.row(rows[i]), out.row(static_cast<index>(i)).begin());
  return out;
}

/// Replaces NaN by the mean of the column's other training values (0 where it has none), in both tables.
inline void fill_missing_with_means(tensor<double, 2>& train, tensor<double, 2>& test) {
  for (index j = 0; j < train.row_size(); ++j) {
    double sum = 0, count = 0;
    for (index i = 0; i < train.rows(); ++i)
      if (!std::isnan(train(i, j))) {
        sum += train(i, j);
        ++count;
      }
    const double mean = count > 0 ? sum / count : 0;
    for (auto* table : {&train, &test})
      for (index i = 0; i < table->rows(); ++i)
        if (std::isnan((*table)(i, j))) (*table)(i, j) = mean;
  }
}

}  // namespace anodiff
