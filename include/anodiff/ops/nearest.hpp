// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <limits>

namespace anodiff::ops {

/// The k nearest reference rows of each query: exact squared distances in double, ascending, ties by the lower place.
/// The product of queries and references only rules rows out, with a margin that covers its rounding, so that the
/// answer does not depend on it. Places beyond the references there are hold −1 and infinity.
template <class T, class Weight = const T*>
struct nearest {
  const T* query;                  ///< (rows, row_size)
  const T* reference;              ///< (count, row_size)
  Weight product = nullptr;        ///< the references as (row_size, count) in the engine's packed form
  const T* square = nullptr;       ///< (count): squared norm of each reference, rounded from double
  const index* exclude = nullptr;  ///< (rows): a reference that a query must not find, −1 = none; or null
  index rows, count, row_size, k;
  double* distance;  ///< (rows, k)
  index* place;      ///< (rows, k)
};

/// Puts (distance, place) into the ascending lists of k if it belongs there; ties go to the lower place.
inline void keep_nearest(double* distances, index* places, index k, double distance, index place) noexcept {
  const auto before = [&](index i) {
    return distances[i] < distance || (distances[i] == distance && places[i] >= 0 && places[i] < place);
  };
  if (before(k - 1)) return;
  index i = k - 1;
  for (; i > 0 && !before(i - 1); --i) {
    distances[i] = distances[i - 1];
    places[i] = places[i - 1];
  }
  distances[i] = distance;
  places[i] = place;
}

template <class T>
[[nodiscard]] double squared_distance(const T* a, const T* b, index size) noexcept {
  double sums[4] = {0, 0, 0, 0};
  index j = 0;
  for (; j + 4 <= size; j += 4)
    for (index l = 0; l < 4; ++l) {
      const double e = static_cast<double>(a[j + l]) - static_cast<double>(b[j + l]);
      sums[l] += e * e;
    }
  for (; j < size; ++j) {
    const double e = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    sums[0] += e * e;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

namespace reference {

template <class T, class Weight>
void run(const nearest<T, Weight>& op) {
  for (index i = 0; i < op.rows; ++i) {
    double* distances = op.distance + i * op.k;
    index* places = op.place + i * op.k;
    std::fill_n(distances, op.k, std::numeric_limits<double>::infinity());
    std::fill_n(places, op.k, index{-1});
    for (index r = 0; r < op.count; ++r)
      if (op.exclude == nullptr || op.exclude[i] != r)
        keep_nearest(distances, places, op.k,
                     squared_distance(op.query + i * op.row_size, op.reference + r * op.row_size, op.row_size), r);
  }
}

}  // namespace reference
}  // namespace anodiff::ops
