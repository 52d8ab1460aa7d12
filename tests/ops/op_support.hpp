// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <vector>

/// The tests of operations live in here: `index` at global scope would also be the C library's function.
namespace op_test {

using namespace anodiff;
using anodiff::index;

/// One pool for each number of threads that a result must not depend on.
inline anodiff::thread_pool& pool(int threads) {
  static anodiff::thread_pool one{1}, two{2}, three{3};
  return threads == 1 ? one : threads == 2 ? two : three;
}

/// Sizes that have broken kernels elsewhere: none, one, around vectors of 4, 8 and 16, around a power of two, primes.
inline std::vector<index> sizes() { return {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 127, 257}; }

/// Deterministic values, uniform in [offset - 2 scale, offset + 2 scale).
template <class T>
std::vector<T> values(index count, std::uint64_t seed, double scale = 1, double offset = 0) {
  std::vector<T> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<T>(offset + scale * (4 * anodiff::random_uniform({.seed = seed}, i) - 2));
  return x;
}

inline std::vector<std::int32_t> levels(index rows, std::int32_t count) {
  std::vector<std::int32_t> level(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < level.size(); ++i) level[i] = static_cast<std::int32_t>(i * 7 % std::size_t(count));
  return level;
}

template <class To, class From>
std::vector<To> as(const std::vector<From>& from) {
  return std::vector<To>(from.begin(), from.end());
}

/// Largest |got − want| / max(floor, |want|); infinity where one is not finite and the other differs.
template <class T, class U>
double worst(const std::vector<T>& got, const std::vector<U>& want, double floor = 1) {
  if (got.size() != want.size()) return INFINITY;
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto g = static_cast<double>(got[i]), w = static_cast<double>(want[i]);
    const double error = std::abs(g - w) / std::max(floor, std::abs(w));
    if (!(error <= most)) most = std::isnan(error) ? INFINITY : error;
  }
  return most;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Elements [first row, last row) of a matrix with row_size columns.
template <class T>
std::vector<T> rows_of(const std::vector<T>& x, index row_size, index first, index last) {
  return {x.begin() + first * row_size, x.begin() + last * row_size};
}

/// make(pool) must give the same bits for 1, 2 and 3 threads; returns them.
template <class Make>
auto on_all_pools(Make make) {
  const auto one = make(pool(1));
  CHECK(same_bits(one, make(pool(2))));
  CHECK(same_bits(one, make(pool(3))));
  return one;
}

/// dgain, dbias and dx of a normalisation n of rows, one after another; all start at 0.25. op is its backward operation
/// with whatever it has beside those.
template <class Backward, class Norm, class T, class Run>
std::vector<T> norm_gradients(Backward op, const Norm& n, const std::vector<T>& dy, bool accumulate, Run&& run) {
  std::vector<T> all(2 * n.gain.size() + n.x.size(), T(0.25));
  op.x = n.x.data();
  op.dy = dy.data();
  op.gain = n.gain.data();
  op.mean = n.mean.data();
  op.inverse = n.inverse.data();
  op.dgain = all.data();
  op.dbias = all.data() + n.width;
  op.dx = all.data() + 2 * n.width;
  op.accumulate = accumulate;
  op.rows = n.rows;
  op.width = n.width;
  run(op);
  return all;
}

/// Compares gradient with central differences of loss() in every element of x, and returns the largest difference.
template <class Loss>
double gradient_error(std::vector<double>& x, const std::vector<double>& gradient, Loss loss, double step = 1e-5) {
  double most = x.size() == gradient.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + step;
    const double above = loss();
    x[i] = kept - step;
    const double below = loss();
    x[i] = kept;
    const double slope = (above - below) / (2 * step);
    most = std::max(most, std::abs(slope - gradient[i]) / std::max(1.0, std::abs(slope)));
  }
  return most;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace op_test
