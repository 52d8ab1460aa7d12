// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// y_i = Σ_j softmax_j(q_i · k_j / √width) v_j, for each head by itself. Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
/// Heads stand side by side in a row. The matrix of scores is never stored: the sums over j run along with the largest
/// score so far (Milakov & Gimelshein 2018, arXiv:1805.02867, algorithm 3).
template <class T>
struct attention_forward {
  const T* q = nullptr;  ///< (n, queries, heads · width)
  const T* k = nullptr;  ///< (n, keys, heads · width)
  const T* v = nullptr;  ///< (n, keys, heads · width)
  T* y = nullptr;        ///< (n, queries, heads · width); none of the others
  T* log_sum = nullptr;  ///< (n, heads, queries): ln Σ_j e^score, for the backward pass, or null
  index n = 0, queries = 0, keys = 0, heads = 1, width = 0;
  T* scratch = nullptr;  ///< as much as the engine's scratch() says
};

/// Gradients of attention_forward. Dao et al. 2022, arXiv:2205.14135, appendix B.2, with the two loops apart so that
/// every sum has one order.
template <class T>
struct attention_backward {
  const T *q = nullptr, *k = nullptr, *v = nullptr;  ///< as in the forward pass
  const T *y = nullptr, *dy = nullptr;               ///< (n, queries, heads · width)
  const T* log_sum = nullptr;                        ///< (n, heads, queries)
  T *dq = nullptr, *dk = nullptr, *dv = nullptr;     ///< of the shapes of q, k and v; each may be null
  bool add_q = false, add_k = false, add_v = false;  ///< adds instead of writing
  index n = 0, queries = 0, keys = 0, heads = 1, width = 0;
  T* scratch = nullptr;  ///< as much as the engine's scratch() says
};

namespace reference {

namespace detail {

/// Row of head h at position i of picture n.
template <class Operation>
[[nodiscard]] index attention_row(const Operation& op, index n, index positions, index i, index h) {
  return ((n * positions + i) * op.heads + h) * op.width;
}

/// Calls f(n, h, i, weights of the keys) for each query.
template <class Operation, class F>
void for_each_query(const Operation& op, F&& f) {
  std::vector<double> weight(static_cast<std::size_t>(op.keys));
  for (index n = 0; n < op.n; ++n)
    for (index h = 0; h < op.heads; ++h)
      for (index i = 0; i < op.queries; ++i) {
        const auto* q = op.q + attention_row(op, n, op.queries, i, h);
        double most = -INFINITY, sum = 0;
        for (index j = 0; j < op.keys; ++j) {
          const auto* k = op.k + attention_row(op, n, op.keys, j, h);
          double score = 0;
          for (index c = 0; c < op.width; ++c) score += static_cast<double>(q[c]) * static_cast<double>(k[c]);
          weight[static_cast<std::size_t>(j)] = score / std::sqrt(static_cast<double>(op.width));
          most = std::max(most, weight[static_cast<std::size_t>(j)]);
        }
        for (double& w : weight) sum += w = std::exp(w - most);
        for (double& w : weight) w /= sum;
        f(n, h, i, weight, most + std::log(sum));
      }
}

}  // namespace detail

template <class T>
void run(const attention_forward<T>& op) {
  detail::for_each_query(op, [&](index n, index h, index i, const std::vector<double>& weight, double log_sum) {
    T* y = op.y + detail::attention_row(op, n, op.queries, i, h);
    for (index c = 0; c < op.width; ++c) {
      double sum = 0;
      for (index j = 0; j < op.keys; ++j)
        sum += weight[static_cast<std::size_t>(j)] *
               static_cast<double>(op.v[detail::attention_row(op, n, op.keys, j, h) + c]);
      y[c] = static_cast<T>(sum);
    }
    if (op.log_sum != nullptr) op.log_sum[(n * op.heads + h) * op.queries + i] = static_cast<T>(log_sum);
  });
}

template <class T>
void run(const attention_backward<T>& op) {
  const index row = op.heads * op.width;
  const auto clear = [&](T* to, bool add, index positions) {
    if (to != nullptr && !add) std::fill(to, to + op.n * positions * row, T{0});
  };
  clear(op.dq, op.add_q, op.queries);
  clear(op.dk, op.add_k, op.keys);
  clear(op.dv, op.add_v, op.keys);
  const T scale = 1 / std::sqrt(static_cast<T>(op.width));
  detail::for_each_query(op, [&](index n, index h, index i, const std::vector<double>& weight, double) {
    const index at = detail::attention_row(op, n, op.queries, i, h);
    const T *dy = op.dy + at, *y = op.y + at, *q = op.q + at;
    T mean = 0;  // of the scores' gradients under the weights
    for (index c = 0; c < op.width; ++c) mean += dy[c] * y[c];
    for (index j = 0; j < op.keys; ++j) {
      const index key = detail::attention_row(op, n, op.keys, j, h);
      const T w = static_cast<T>(weight[static_cast<std::size_t>(j)]);
      T toward = 0;
      for (index c = 0; c < op.width; ++c) toward += dy[c] * op.v[key + c];
      const T dscore = w * (toward - mean) * scale;
      for (index c = 0; c < op.width; ++c) {
        if (op.dq != nullptr) op.dq[at + c] += dscore * op.k[key + c];
        if (op.dk != nullptr) op.dk[key + c] += dscore * q[c];
        if (op.dv != nullptr) op.dv[key + c] += w * dy[c];
      }
    }
  });
}

}  // namespace reference
}  // namespace anodiff::ops
