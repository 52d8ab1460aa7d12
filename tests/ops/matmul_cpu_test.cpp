// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/linear.hpp>
#include <anodiff/ops/matmul_cpu.hpp>
#include "op_support.hpp"

namespace op_test::matmul_cpu_test {

using ops::cpu::matrix;
using ops::cpu::packed_matrix;
using ops::cpu::tile_size;

namespace {

/// A (rows, columns) matrix stored row-major, or transposed.
template <class T>
struct stored {
  std::vector<T> data;
  index rows, columns;
  bool transposed;
  stored(index r, index c, std::uint64_t seed, bool t)
      : data(values<T>(r * c, seed)), rows{r}, columns{c}, transposed{t} {}
  [[nodiscard]] matrix<T> view() const {
    return transposed ? matrix<T>{data.data(), 1, rows} : matrix<T>{data.data(), columns, 1};
  }
  [[nodiscard]] T operator()(index i, index j) const {
    return data[static_cast<std::size_t>(transposed ? j * rows + i : i * columns + j)];
  }
};

template <class T>
struct store {
  T* to;
  index stride;
  void operator()(index row, index column, const T* sums, int count) const {
    for (int j = 0; j < count; ++j) to[row * stride + column + j] = sums[j];
  }
};

template <class T>
std::vector<T> loose_product(thread_pool& on, const stored<T>& a, const stored<T>& b) {
  std::vector<T> c(static_cast<std::size_t>(a.rows * b.columns), T(-9));
  ops::cpu::multiply<T>(on, a.rows, b.columns, a.columns, a.view(), b.view(), store<T>{c.data(), b.columns});
  return c;
}
template <class T>
std::vector<T> packed_product(thread_pool& on, index m, const matrix<T>& a, const packed_matrix<T>& b) {
  std::vector<T> c(static_cast<std::size_t>(m * b.n()), T(-9));
  ops::cpu::multiply<T>(on, m, a, b, store<T>{c.data(), b.n()});
  return c;
}

/// Largest error against double, in units of the sum of the terms' magnitudes.
template <class T>
double product_error(const std::vector<T>& c, const stored<T>& a, const stored<T>& b) {
  double most = 0;
  for (index i = 0; i < a.rows; ++i)
    for (index j = 0; j < b.columns; ++j) {
      double sum = 0, size = 0;
      for (index k = 0; k < a.columns; ++k) {
        const double term = static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
        sum += term;
        size += std::abs(term);
      }
      const double error = std::abs(static_cast<double>(c[static_cast<std::size_t>(i * b.columns + j)]) - sum);
      if (!(error <= most * std::max(size, 1e-30))) most = std::isnan(error) ? INFINITY : error / std::max(size, 1e-30);
    }
  return most;
}

}  // namespace

TEST_CASE("a product by hand", "[matmul]") {
  stored<double> a{2, 3, 1, false}, b{3, 2, 2, false};
  a.data = {1, 2, 3, 4, 5, 6};
  b.data = {7, 8, 9, 10, 11, 12};
  CHECK(loose_product(pool(1), a, b) == std::vector<double>{58, 64, 139, 154});
}

TEMPLATE_TEST_CASE("products of all sizes and orders match double", "[matmul]", float, double) {
  constexpr index panel = tile_size<TestType>::columns, tile = tile_size<TestType>::rows;
  const double bound = sizeof(TestType) == 4 ? ops::linear_bound : 1e-13;
  const auto test = [&](index m, index n, index k) {
    CAPTURE(m, n, k);
    for (const bool a_transposed : {false, true}) {
      const stored<TestType> a{m, k, 11, a_transposed};
      for (const bool b_transposed : {false, true}) {
        const stored<TestType> b{k, n, 12, b_transposed};
        const auto c = on_all_pools([&](thread_pool& on) { return loose_product(on, a, b); });
        CHECK(product_error(c, a, b) <= bound);
        packed_matrix<TestType> packed{k, n};
        packed.pack(b.view());
        CHECK(same_bits(packed_product(pool(2), m, a.view(), packed), c));
      }
    }
  };
  for (const index m : {index{0}, index{1}, index{2}, tile - 1, tile, tile + 1, index{33}})
    for (const index n : {index{0}, index{1}, panel - 1, panel, panel + 1, 2 * panel + 3, 5 * panel})
      for (const index k : {0, 1, 7, 33}) test(m, n, k);
  const index depth = tile_size<TestType>::depth, block = tile_size<TestType>::row_block;
  for (const index k : {depth - 1, depth, depth + 1, 2 * depth + 6}) {
    test(1, 4 * panel + 1, k);
    test(7, panel + 1, k);
  }
  test(block + 1, panel + 3, 65);
  test(2 * block + 5, 3, 17);
  test(50, 9 * panel + 1, 259);
  test(1, 257, 131);
}

TEMPLATE_TEST_CASE("a row's product does not depend on the rows beside it", "[matmul]", float, double) {
  for (const index n : {1, 10, 33, 129, 257})
    for (const index k : {1, 31, 257, 513, 1030}) {
      constexpr index rows = 400;
      const stored<TestType> a{rows, k, 21, false}, b{k, n, 22, n == 33};
      packed_matrix<TestType> packed{k, n};
      packed.pack(b.view());
      const auto whole = packed_product(pool(2), rows, a.view(), packed);
      CAPTURE(n, k);
      for (const index count : {1, 2, 3, 4, 5, 6, 7, 12, 13, 193, 385})
        for (const index first : {0, 5, 15}) {
          CAPTURE(count, first);
          const auto want = rows_of(whole, n, first, first + count);
          const matrix<TestType> part{a.data.data() + first * k, k, 1};
          CHECK(same_bits(packed_product(pool(2), count, part, packed), want));
          std::vector<TestType> loose(want.size());
          ops::cpu::multiply<TestType>(pool(3), count, n, k, part, b.view(), store<TestType>{loose.data(), n});
          CHECK(same_bits(loose, want));
        }
    }
}

TEST_CASE("a column's product does not depend on the columns beside it", "[matmul]") {
  const stored<float> a{9, 700, 31, false}, b{700, 50, 32, false};
  const auto whole = loose_product(pool(1), a, b);
  for (const index j : {0, 15, 16, 37, 49}) {
    std::vector<float> c(9);
    ops::cpu::multiply<float>(pool(1), 9, 1, 700, a.view(), {b.data.data() + j, 50, 1}, store<float>{c.data(), 1});
    for (index i = 0; i < 9; ++i) CHECK(c[static_cast<std::size_t>(i)] == whole[static_cast<std::size_t>(i * 50 + j)]);
  }
}

TEST_CASE("NaN and infinity stay in their row and column", "[matmul]") {
  stored<float> a{8, 20, 41, false}, b{20, 19, 42, false};
  a.data[3 * 20 + 4] = NAN;
  const auto c = loose_product(pool(1), a, b);
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t j = 0; j < 19; ++j) CHECK(std::isnan(c[i * 19 + j]) == (i == 3));
  packed_matrix<float> packed{20, 19};
  packed.pack(b.view());
  CHECK(packed.bytes() == static_cast<std::size_t>(packed.panels() * tile_size<float>::columns) * 20 * sizeof(float));
}

TEST_CASE("a matrix kept in halves: every product is that of the rounded values, to the bit", "[matmul]") {
  for (const index k : {1, 37, 512, 700})
    for (const index n : {1, 15, 16, 100}) {
      const stored<float> a{7, k, 51, false}, b{k, n, 52, false};
      auto rounded = b;
      for (float& v : rounded.data) v = float_from_half(half_from_float(v));
      packed_matrix<float> halves{k, n, true}, whole{k, n};
      halves.pack(b.view());
      whole.pack(rounded.view());
      const auto want = packed_product(pool(1), 7, a.view(), whole);
      CHECK(same_bits(packed_product(pool(2), 7, a.view(), halves), want));
      for (index i = 0; i < 7; ++i) {
        const matrix<float> row{a.data.data() + i * k, k, 1};
        CHECK(same_bits(packed_product(pool(2), 1, row, halves), rows_of(want, n, i, i + 1)));
      }
    }
}

}  // namespace op_test::matmul_cpu_test
