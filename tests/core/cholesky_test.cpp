// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/cholesky.hpp>
#include <anodiff/core/philox.hpp>
#include <catch2/catch.hpp>
#include <vector>

namespace cholesky_test {

namespace cholesky = anodiff::cholesky;
using anodiff::index;

TEST_CASE("a matrix of three by hand", "[cholesky]") {
  constexpr double above = 77;  // nobody's
  std::vector<double> a{4, above, above, 2, 10, above, 4, -4, 21};
  CHECK(cholesky::factor(a.data(), 3) == Approx(std::log(4.0 * 9 * 13)));
  CHECK(a == std::vector<double>{2, above, above, 1, 3, above, 2, -2, std::sqrt(13.0)});
  std::vector<double> b{4 + 2 * 2 + 4 * 3, 2 + 10 * 2 - 4 * 3, 4 - 4 * 2 + 21 * 3};
  cholesky::solve(a.data(), 3, b.data());
  for (std::size_t i = 0; i < 3; ++i) CHECK(b[i] == Approx(static_cast<double>(i + 1)));
}

TEST_CASE("the inverse of a factor times it is one, and the solution solves", "[cholesky]") {
  const index n = 23;
  const auto at = [](index i, index j) { return static_cast<std::size_t>(i * n + j); };
  std::vector<double> root(n * n), a(n * n), w(n * n);
  for (std::size_t e = 0; e < root.size(); ++e) root[e] = anodiff::random_uniform({.seed = 5}, e) - 0.5;
  for (index i = 0; i < n; ++i)
    for (index j = 0; j < n; ++j)
      for (index e = 0; e < n; ++e) a[at(i, j)] += root[at(i, e)] * root[at(j, e)] + (i == j ? 0.01 : 0);
  auto l = a;
  (void)cholesky::factor(l.data(), n);
  cholesky::invert(l.data(), n, w.data());
  std::vector<double> b(n, 1.0);
  cholesky::solve(l.data(), n, b.data());
  for (index i = 0; i < n; ++i) {
    double got = 0;
    for (index j = 0; j < n; ++j) got += a[at(i, j)] * b[static_cast<std::size_t>(j)];
    CHECK(got == Approx(1));
    for (index j = 0; j <= i; ++j) {
      double product = 0, square = 0;
      for (index e = j; e <= i; ++e) product += w[at(i, e)] * l[at(e, j)];
      for (index e = 0; e <= j; ++e) square += l[at(i, e)] * l[at(j, e)];
      CHECK(product == Approx(i == j ? 1 : 0).margin(1e-11));
      CHECK(square == Approx(a[at(i, j)]).margin(1e-12));
    }
  }
}

TEST_CASE("a pivot is held above zero where that is asked for", "[cholesky]") {
  std::vector<double> a{1, 0, 1, 1 - 1e-9}, same = a;
  (void)cholesky::factor(a.data(), 2, 1e-4);
  CHECK(a[3] == Approx(0.01));
  (void)cholesky::factor(same.data(), 2);
  std::vector<double> b{1, 2};
  cholesky::solve(same.data(), 2, b.data());
  CHECK_FALSE(std::isfinite(b[1]));
}

}  // namespace cholesky_test
