// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/matmul_cpu.hpp>
#include <anodiff/ops/nearest.hpp>
#include <bit>
#include <cmath>

namespace anodiff::ops::cpu {

namespace detail {

/// Queries worked on together.
template <class T>
inline constexpr index nearest_block = tile_size<T>::rows * 8;

/// How a reference is ruled out: its key ‖r‖² (1 − margin) − 2 q·r, plus ‖q‖² (1 − margin), is a lower bound of its
/// squared distance. The margin is half an epsilon for each of row_size products and sums, for the stored squares and
/// for the comparison, times eight to be safe; `underflow` does the same for what lies below the smallest T.
template <class T>
struct distance_bound {
  static constexpr T most = std::numeric_limits<T>::max(), infinity = std::numeric_limits<T>::infinity();
  double margin, underflow;
  T shrink;

  explicit distance_bound(index row_size) noexcept
      : margin{4 * static_cast<double>(row_size + 4) * static_cast<double>(std::numeric_limits<T>::epsilon())},
        underflow{8 * static_cast<double>(row_size + 4) * static_cast<double>(std::numeric_limits<T>::min())},
        shrink{static_cast<T>(1 - margin)} {}

  [[nodiscard]] ANODIFF_ALWAYS_INLINE T key(T norm, T product) const noexcept { return norm * shrink - 2 * product; }
  /// A key that left the range of T says nothing.
  [[nodiscard]] static bool holds(T norm, T key) noexcept { return norm <= most && key <= infinity; }
  /// The largest key that a reference nearer than distance, or as near, can have; rounded up.
  [[nodiscard]] T limit(double distance, double query_square) const noexcept {
    const double x = distance - query_square * (1 - margin) + underflow;
    return x >= static_cast<double>(most) ? infinity
                                          : std::nextafter(static_cast<T>(std::max<double>(x, -most)), infinity);
  }
  /// One bit for each column of a whole panel: set where the key does not exceed limit, or says nothing.
  [[nodiscard]] ANODIFF_ALWAYS_INLINE std::uint32_t near(const T* norm, const T* products, T limit) const noexcept {
    using V = simd::vec<T>;
    std::uint32_t bits = 0;
    for (int v = 0; v < tile_size<T>::vectors; ++v) {
      const V n = simd::load<V>(norm + v * simd::lanes<T>);
      const V bound = n * shrink - 2 * simd::load<V>(products + v * simd::lanes<T>);
      bits |= lane_bits(~((bound > limit) & (n <= most))) << (v * simd::lanes<T>);
    }
    return bits;
  }
};

template <class T>
[[nodiscard]] inline double squared_norm(const T* x, index size) noexcept {
  double sum = 0;
  for (index j = 0; j < size; ++j) sum += static_cast<double>(x[j]) * static_cast<double>(x[j]);
  return sum;
}

template <class Operation>
void clear_lists(const Operation& op, index first, index last) noexcept {
  std::fill(op.distance + first * op.k, op.distance + last * op.k, std::numeric_limits<double>::infinity());
  std::fill(op.place + first * op.k, op.place + last * op.k, index{-1});
}

/// Puts reference r into the list of query i, by its exact distance; gives the distance that others must reach.
template <class Operation>
double keep_exactly(const Operation& op, index i, index r) noexcept {
  double* distances = op.distance + i * op.k;
  keep_nearest(distances, op.place + i * op.k, op.k,
               squared_distance(op.query + i * op.row_size, op.reference + r * op.row_size, op.row_size), r);
  return distances[op.k - 1];
}

/// Calls visit(query, reference, norm, key) for the pairs whose key did not exceed limit[query − first] when their
/// panel was met.
template <class T, class Visit>
void for_each_near(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool, const distance_bound<T>& bound,
                   index first, index last, const T* limit, Visit&& visit) {
  const matrix<T> queries{op.query + first * op.row_size, op.row_size, 1};
  multiply<T>(pool, last - first, queries, *op.product, [&](index row, index column, const T* sums, int count) {
    T norms[tile_size<T>::columns];
    const T* norm = op.square + column;
    if (count < tile_size<T>::columns) {  // the norms end here: a whole vector may not be read
      std::fill(std::copy(norm, norm + count, norms), norms + tile_size<T>::columns, T{0});
      norm = norms;
    }
    std::uint32_t near =
        bound.near(norm, sums, limit[row]) & static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1);
    for (; near != 0; near &= near - 1) {
      const int c = std::countr_zero(near);
      if (op.exclude != nullptr && op.exclude[first + row] == column + c) continue;
      visit(row, column + c, norm[c], bound.key(norm[c], sums[c]));
    }
  });
}

/// Computes the distance of each reference that is not ruled out as soon as it is met.
template <class T>
void search_exactly(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool, const distance_bound<T>& bound,
                    index first, index last) {
  double square[nearest_block<T>];
  T limit[nearest_block<T>];
  clear_lists(op, first, last);
  for (index i = first; i < last; ++i) {
    square[i - first] = squared_norm(op.query + i * op.row_size, op.row_size);
    limit[i - first] = bound.infinity;
  }
  for_each_near(op, pool, bound, first, last, limit, [&](index row, index r, T, T) {
    limit[row] = bound.limit(keep_exactly(op, first + row, r), square[row]);
  });
}

/// Keeps the references of smallest key, somewhat more than k, and computes their distances at the end. If all others'
/// keys lie beyond the k-th distance, none of them can belong to the answer; else the query is searched exactly.
template <class T>
struct key_lists {
  using V = simd::vec<T>;
  using places = decltype(V{} > V{});
  static constexpr int lanes = simd::lanes<T>;
  static constexpr index spare = 2, longest = 32, largest_k = longest - spare;
  struct list {
    T key[lanes + longest];  // ascending from `lanes` on, after −infinity
    simd::element<places> place[lanes + longest];
    T limit;  // the key at `last`: what lies beyond need not be complete
    bool unsure;
  };
  index size;  // a whole number of vectors
  index last;
  list of[nearest_block<T>];

  explicit key_lists(index k) noexcept
      : size{(k + spare + lanes - 1) / lanes * lanes}, last{lanes + std::min(size, k + spare + k / 4) - 1} {
    for (list& l : of) {
      std::fill_n(l.key, lanes, -std::numeric_limits<T>::infinity());
      std::fill_n(l.key + lanes, size, std::numeric_limits<T>::infinity());
      std::fill_n(l.place, lanes + size, -1);
      l.limit = std::numeric_limits<T>::infinity();
      l.unsure = false;
    }
  }
  /// Without a branch: each place takes its own key, the new one or its neighbour's, whichever is the middle.
  void keep(list& l, T key, index reference) const noexcept {
    const V value = simd::broadcast<V>(key);
    const places number = static_cast<simd::element<places>>(reference) - places{};
    V before = simd::load<V>(l.key);
    places place_before = simd::load<places>(l.place);
    for (index i = lanes; i <= size; i += lanes) {
      const V own = simd::load<V>(l.key + i), left = shifted(before, own);
      const places own_place = simd::load<places>(l.place + i), left_place = shifted(place_before, own_place);
      const places stays = own <= value, enters = left <= value;
      simd::store(l.key + i, stays ? own : enters ? value : left);
      simd::store(l.place + i, stays ? own_place : enters ? number : left_place);
      before = own;
      place_before = own_place;
    }
    l.limit = l.key[last];
  }

 private:
  /// Each lane takes the one before it, the first lane the last of `before`. In registers: a load that straddles two
  /// stores would have to wait for both.
  template <class W>
  [[nodiscard]] static ANODIFF_ALWAYS_INLINE W shifted(const W& before, const W& own) noexcept {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return __builtin_shufflevector(before, own, (I + lanes - 1)...);
    }
    (std::make_index_sequence<static_cast<std::size_t>(lanes)>{});
  }
};

template <class T>
void search_by_keys(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool, const distance_bound<T>& bound,
                    index first, index last) {
  key_lists<T> lists{op.k};
  T limit[nearest_block<T>];
  std::fill_n(limit, last - first, bound.infinity);
  for_each_near(op, pool, bound, first, last, limit, [&](index row, index r, T norm, T key) {
    auto& list = lists.of[row];
    if (!bound.holds(norm, key))
      list.unsure = true;
    else if (key < list.limit)
      lists.keep(list, key, r);
    limit[row] = list.limit;
  });
  clear_lists(op, first, last);
  for (index row = 0; row < last - first; ++row) {
    const index i = first + row;
    const auto& list = lists.of[row];
    const double square = squared_norm(op.query + i * op.row_size, op.row_size);
    T reach = bound.infinity;
    for (index c = lists.lanes; c < lists.lanes + lists.size && list.place[c] >= 0 && !(list.key[c] > reach); ++c)
      reach = bound.limit(keep_exactly(op, i, list.place[c]), square);
    const bool all_listed = list.place[lists.last] < 0;
    if (list.unsure || !(all_listed || list.limit > reach)) search_exactly(op, pool, bound, i, i + 1);
  }
}

}  // namespace detail

template <class T>
void run(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  if (op.k < 1) return;
  const detail::distance_bound<T> bound{op.row_size};
  const bool by_keys = op.k <= detail::key_lists<T>::largest_k && op.count <= std::numeric_limits<std::int32_t>::max();
  parallel_for(pool, op.rows, detail::nearest_block<T>, [&](index first, index last) {
    if (by_keys)
      detail::search_by_keys(op, pool, bound, first, last);
    else
      detail::search_exactly(op, pool, bound, first, last);
  });
}

}  // namespace anodiff::ops::cpu
