// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/attention.hpp>
#include <anodiff/ops/matmul_cpu.hpp>
#include <anodiff/ops/worker_scratch_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Queries and keys are worked on in blocks; a block of scores stays in the cache.
inline constexpr index attention_rows = 48;  ///< of the side whose sums are kept
inline constexpr index attention_columns = 64;

template <class T>
[[nodiscard]] constexpr index whole_panels(index columns) noexcept {
  return (columns + tile_size<T>::columns - 1) / tile_size<T>::columns * tile_size<T>::columns;
}

/// c (+)= a b for an m by k matrix a and packed b; rows of c lie `stride` apart and hold whole panels.
template <class T>
void multiply_packed(index m, index k, const matrix<T>& a, const T* packed, index columns, T* c, index stride,
                     bool add) noexcept {
  using size = tile_size<T>;
  for (index n0 = 0; n0 < columns; n0 += size::columns)
    for (index i = 0; i < m; i += size::rows)
      tile_for<T>(std::min<index>(size::rows, m - i))(a.data + i * a.row_stride, a.row_stride, a.column_stride, k,
                                                      packed + n0 * k, 0, c + i * stride + n0, stride, add);
}
/// All panels of a small b (k, columns).
template <class T>
void pack_small(const matrix<T>& b, index k, index columns, T* packed) noexcept {
  for (index n0 = 0; n0 < columns; n0 += tile_size<T>::columns) pack_panel(b, columns, n0, 0, k, packed + n0 * k);
}

/// Calls f(position, whole_lanes) over [0, n) for rows that are padded to whole vectors.
template <class T, class F>
ANODIFF_ALWAYS_INLINE void for_each_padded(index n, F&& f) noexcept {
  for (index i = 0; i < n; i += simd::lanes<T>) f(i, whole_lanes<T>{});
}

/// Working memory of one thread.
template <class T>
struct attention_memory {
  static constexpr index line = tensor_alignment / static_cast<index>(sizeof(T));
  T *scores, *slopes;          ///< (rows, columns)
  T *turned[2], *straight[2];  ///< packed: (width, columns) and (columns, width)
  T* sums[2];                  ///< (rows, whole panels of width)
  [[nodiscard]] static index block() noexcept { return attention_rows * attention_columns; }
  [[nodiscard]] static index packed(index width) noexcept {
    return attention_columns * whole_panels<T>(std::max(width, line));
  }
  [[nodiscard]] static index size(index width) noexcept { return 2 * block() + 6 * packed(width); }
  attention_memory(T* memory, index width) noexcept : scores{memory}, slopes{memory + block()} {
    T* at = memory + 2 * block();
    for (T** part : {&turned[0], &turned[1], &straight[0], &straight[1], &sums[0], &sums[1]}) {
      *part = at;
      at += packed(width);
    }
  }
};

template <class Operation, class F>
void for_each_attention_block(const Operation& op, index positions, thread_pool& pool, F&& f) {
  using T = std::remove_pointer_t<decltype(op.scratch)>;
  const index blocks = (positions + attention_rows - 1) / attention_rows;
  run_with_scratch(pool, op.n * op.heads * blocks, op.scratch, attention_memory<T>::size(op.width),
                   [&](index job, T* memory) {
                     const index first = job % blocks * attention_rows, head = job / blocks % op.heads;
                     f(job / blocks / op.heads, head, first, std::min(attention_rows, positions - first),
                       attention_memory<T>{memory, op.width});
                   });
}

/// Writes or adds rows of sums, times a factor, to a head's part of the rows of a picture.
template <class T>
void store_head(const T* sums, index sums_stride, T factor, index rows, index width, T* to, index stride,
                bool add) noexcept {
  for (index i = 0; i < rows; ++i)
    for_each_lanes<T>(width, [&](index c, auto lanes) {
      const auto value = lanes.load(sums + i * sums_stride + c) * factor;
      lanes.store(to + i * stride + c, add ? lanes.load(to + i * stride + c) + value : value);
    });
}

}  // namespace detail

template <class T>
[[nodiscard]] index scratch(const attention_forward<T>& op, thread_pool& pool) noexcept {
  return pool.threads() * detail::attention_memory<T>::size(op.width);
}
template <class T>
[[nodiscard]] index scratch(const attention_backward<T>& op, thread_pool& pool) noexcept {
  return pool.threads() * detail::attention_memory<T>::size(op.width) + op.n * op.heads * op.queries;
}

template <class T>
void run(const attention_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  using namespace detail;
  const index row = op.heads * op.width, wide = whole_panels<T>(op.width);
  const T scale = 1 / std::sqrt(static_cast<T>(op.width));
  for_each_attention_block(op, op.queries, pool, [&](index n, index h, index first, index rows, const auto& memory) {
    const matrix<T> q{op.q + (n * op.queries + first) * row + h * op.width, row, 1};
    T most[attention_rows], sum[attention_rows];
    std::fill_n(most, rows, -std::numeric_limits<T>::infinity());
    std::fill_n(sum, rows, T{0});
    for (index key = 0; key < op.keys; key += attention_columns) {
      const index keys = std::min(attention_columns, op.keys - key), padded = whole_panels<T>(keys);
      const index at = (n * op.keys + key) * row + h * op.width;
      pack_small<T>({op.k + at, 1, row}, op.width, keys, memory.turned[0]);
      pack_small<T>({op.v + at, row, 1}, keys, op.width, memory.straight[0]);
      multiply_packed<T>(rows, op.width, q, memory.turned[0], keys, memory.scores, attention_columns, false);
      for (index i = 0; i < rows; ++i) {
        T* score = memory.scores + i * attention_columns;
        T largest = most[i];
        for (index j = 0; j < keys; ++j) largest = std::max(largest, score[j] * scale);
        const T shrink = std::exp(most[i] - largest);
        for_each_padded<T>(padded, [&](index j, auto lanes) {
          lanes.store(score + j, simd::exp<V>(lanes.load(score + j) * scale - largest));
        });
        std::fill(score + keys, score + padded, T{0});
        V total{};
        for_each_padded<T>(padded, [&](index j, auto lanes) { total += lanes.load(score + j); });
        sum[i] = sum[i] * shrink + simd::sum(total);
        most[i] = largest;
        if (key > 0)
          for_each_padded<T>(wide, [&](index c, auto lanes) {
            T* to = memory.sums[0] + i * wide + c;
            lanes.store(to, lanes.load(to) * shrink);
          });
      }
      multiply_packed<T>(rows, keys, {memory.scores, attention_columns, 1}, memory.straight[0], op.width,
                         memory.sums[0], wide, key > 0);
    }
    for (index i = 0; i < rows; ++i) {
      store_head(memory.sums[0] + i * wide, wide, 1 / sum[i], 1, op.width,
                 op.y + (n * op.queries + first + i) * row + h * op.width, row, false);
      if (op.log_sum != nullptr) op.log_sum[(n * op.heads + h) * op.queries + first + i] = most[i] + std::log(sum[i]);
    }
  });
}

template <class T>
void run(const attention_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  using namespace detail;
  const index row = op.heads * op.width, wide = whole_panels<T>(op.width);
  const T scale = 1 / std::sqrt(static_cast<T>(op.width));
  T* const means = op.scratch + pool.threads() * attention_memory<T>::size(op.width);  // Σ dy y, by head and query
  parallel_for(pool, op.n * op.heads * op.queries, 64, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) {
      const index query = i % op.queries, h = i / op.queries % op.heads, n = i / op.queries / op.heads;
      const index at = (n * op.queries + query) * row + h * op.width;
      means[i] = sum_lanes<T>(
          op.width, [&](index c, auto lanes) { return lanes.load(op.dy + at + c) * lanes.load(op.y + at + c); });
    }
  });
  if (op.dq != nullptr)
    for_each_attention_block(op, op.queries, pool, [&](index n, index h, index first, index rows, const auto& memory) {
      const index at = (n * op.queries + first) * row + h * op.width;
      const index place = (n * op.heads + h) * op.queries + first;
      for (index key = 0; key < op.keys; key += attention_columns) {
        const index keys = std::min(attention_columns, op.keys - key), padded = whole_panels<T>(keys);
        const index from = (n * op.keys + key) * row + h * op.width;
        pack_small<T>({op.k + from, 1, row}, op.width, keys, memory.turned[0]);
        pack_small<T>({op.v + from, 1, row}, op.width, keys, memory.turned[1]);
        pack_small<T>({op.k + from, row, 1}, keys, op.width, memory.straight[0]);
        multiply_packed<T>(rows, op.width, {op.q + at, row, 1}, memory.turned[0], keys, memory.scores,
                           attention_columns, false);
        multiply_packed<T>(rows, op.width, {op.dy + at, row, 1}, memory.turned[1], keys, memory.slopes,
                           attention_columns, false);
        for (index i = 0; i < rows; ++i) {
          T *score = memory.scores + i * attention_columns, *slope = memory.slopes + i * attention_columns;
          const T log_sum = op.log_sum[place + i], mean = means[place + i];
          for_each_padded<T>(padded, [&](index j, auto lanes) {
            const V weight = simd::exp<V>(lanes.load(score + j) * scale - log_sum);
            lanes.store(slope + j, weight * (lanes.load(slope + j) - mean));
          });
        }
        multiply_packed<T>(rows, keys, {memory.slopes, attention_columns, 1}, memory.straight[0], op.width,
                           memory.sums[0], wide, key > 0);
      }
      store_head(memory.sums[0], wide, scale, rows, op.width, op.dq + at, row, op.add_q);
    });
  if (op.dk == nullptr && op.dv == nullptr) return;
  for_each_attention_block(op, op.keys, pool, [&](index n, index h, index first, index rows, const auto& memory) {
    const index at = (n * op.keys + first) * row + h * op.width;
    for (index query = 0; query < op.queries; query += attention_columns) {
      const index queries = std::min(attention_columns, op.queries - query), padded = whole_panels<T>(queries);
      const index from = (n * op.queries + query) * row + h * op.width;
      const index place = (n * op.heads + h) * op.queries + query;
      pack_small<T>({op.q + from, 1, row}, op.width, queries, memory.turned[0]);
      pack_small<T>({op.dy + from, 1, row}, op.width, queries, memory.turned[1]);
      pack_small<T>({op.q + from, row, 1}, queries, op.width, memory.straight[0]);
      pack_small<T>({op.dy + from, row, 1}, queries, op.width, memory.straight[1]);
      alignas(tensor_alignment) T log_sum[attention_columns]{}, mean[attention_columns]{};
      std::copy_n(op.log_sum + place, queries, log_sum);
      std::copy_n(means + place, queries, mean);
      multiply_packed<T>(rows, op.width, {op.k + at, row, 1}, memory.turned[0], queries, memory.scores,
                         attention_columns, false);
      multiply_packed<T>(rows, op.width, {op.v + at, row, 1}, memory.turned[1], queries, memory.slopes,
                         attention_columns, false);
      for (index i = 0; i < rows; ++i) {
        T *score = memory.scores + i * attention_columns, *slope = memory.slopes + i * attention_columns;
        for_each_padded<T>(padded, [&](index j, auto lanes) {
          const V weight = simd::exp<V>(lanes.load(score + j) * scale - lanes.load(log_sum + j));
          lanes.store(score + j, weight);
          lanes.store(slope + j, weight * (lanes.load(slope + j) - lanes.load(mean + j)));
        });
      }
      multiply_packed<T>(rows, queries, {memory.slopes, attention_columns, 1}, memory.straight[0], op.width,
                         memory.sums[0], wide, query > 0);
      multiply_packed<T>(rows, queries, {memory.scores, attention_columns, 1}, memory.straight[1], op.width,
                         memory.sums[1], wide, query > 0);
    }
    if (op.dk != nullptr) store_head(memory.sums[0], wide, scale, rows, op.width, op.dk + at, row, op.add_k);
    if (op.dv != nullptr) store_head(memory.sums[1], wide, T{1}, rows, op.width, op.dv + at, row, op.add_v);
  });
}

}  // namespace anodiff::ops::cpu
