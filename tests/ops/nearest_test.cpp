// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/ops/nearest_cpu.hpp>
#include <limits>
#include "op_support.hpp"

namespace op_test::nearest_test {

namespace {

struct found {
  std::vector<double> distance;
  std::vector<index> place;
};

template <class T>
struct search {
  std::vector<T> query, reference;
  index row_size, k;
  std::vector<index> exclude{};

  [[nodiscard]] index rows() const { return static_cast<index>(query.size()) / row_size; }
  [[nodiscard]] index count() const { return static_cast<index>(reference.size()) / row_size; }

  [[nodiscard]] found on(thread_pool& threads, index first = 0, index last = -1) const {
    if (last < 0) last = rows();
    ops::cpu::packed_matrix<T> product{row_size, count()};
    product.pack({reference.data(), 1, row_size});
    std::vector<T> square;
    for (index r = 0; r < count(); ++r) {
      double sum = 0;
      for (index j = 0; j < row_size; ++j) {
        const auto v = static_cast<double>(reference[static_cast<std::size_t>(r * row_size + j)]);
        sum += v * v;
      }
      square.push_back(static_cast<T>(sum));
    }
    found f{std::vector<double>(static_cast<std::size_t>((last - first) * k)),
            std::vector<index>(static_cast<std::size_t>((last - first) * k))};
    ops::nearest<T, const ops::cpu::packed_matrix<T>*> op{};
    op.query = query.data() + first * row_size;
    op.reference = reference.data();
    op.product = &product;
    op.square = square.data();
    op.exclude = exclude.empty() ? nullptr : exclude.data() + first;
    op.rows = last - first;
    op.count = count();
    op.row_size = row_size;
    op.k = k;
    op.distance = f.distance.data();
    op.place = f.place.data();
    ops::cpu::run(op, threads);
    return f;
  }

  /// Sorts all references by (distance, place).
  [[nodiscard]] found by_brute_force() const {
    found f;
    for (index i = 0; i < rows(); ++i) {
      std::vector<std::pair<double, index>> all;
      for (index r = 0; r < count(); ++r)
        if (exclude.empty() || exclude[static_cast<std::size_t>(i)] != r)
          all.emplace_back(
              ops::squared_distance(query.data() + i * row_size, reference.data() + r * row_size, row_size), r);
      all.resize(static_cast<std::size_t>(std::max<index>(k, static_cast<index>(all.size()))),
                 {std::numeric_limits<double>::infinity(), -1});
      std::sort(all.begin(), all.end());
      for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
        f.distance.push_back(all[j].first);
        f.place.push_back(all[j].second);
      }
    }
    return f;
  }

  void check_all() const {
    const auto want = by_brute_force();
    for (const int threads : {1, 2, 3}) {
      const auto got = on(pool(threads));
      CHECK(same_bits(got.distance, want.distance));
      CHECK(got.place == want.place);
    }
  }
};

}  // namespace

TEST_CASE("neighbours by hand", "[nearest]") {
  const search<double> s{{0, 0, 3, 4}, {3, 4, 0, 1, 0, -1, 6, 8}, 2, 3};
  const auto f = s.on(pool(1));
  CHECK(f.distance == std::vector<double>{1, 1, 25, 0, 18, 25});
  CHECK(f.place == std::vector<index>{1, 2, 0, 0, 1, 3});
  found by_reference{std::vector<double>(6), std::vector<index>(6)};
  ops::nearest<double> op{};
  op.query = s.query.data();
  op.reference = s.reference.data();
  op.rows = 2;
  op.count = 4;
  op.row_size = 2;
  op.k = 3;
  op.distance = by_reference.distance.data();
  op.place = by_reference.place.data();
  ops::reference::run(op);
  CHECK(by_reference.distance == f.distance);
  CHECK(by_reference.place == f.place);
}

TEMPLATE_TEST_CASE("no neighbour is lost, whatever the shape", "[nearest]", float, double) {
  for (const index d : {1, 2, 7, 8, 9, 32, 33, 200})
    for (const index count : {1, 2, 15, 16, 17, 100, 777})
      for (const index k : {1, 5, 30, 31}) {
        CAPTURE(d, count, k);
        search<TestType> s{values<TestType>(11 * d, 1), values<TestType>(count * d, 2), d, k};
        s.check_all();
      }
  search<TestType>{values<TestType>(130 * 6, 1), values<TestType>(3000 * 6, 2), 6, 10}.check_all();
}

TEMPLATE_TEST_CASE("duplicates and ties go to the lower place", "[nearest]", float, double) {
  for (const index d : {1, 3, 32}) {
    auto lattice = values<TestType>(600 * d, 1);  // few distinct values: many exact ties
    for (auto& v : lattice) v = std::round(v);
    for (index r = 300; r < 600; ++r) std::copy_n(lattice.begin() + (r - 300) * d, d, lattice.begin() + r * d);
    search<TestType> s{std::vector<TestType>(lattice.begin(), lattice.begin() + 40 * d), lattice, d, 7};
    s.check_all();
    const auto f = s.on(pool(1));
    for (std::size_t i = 0; i < 40; ++i) CHECK(f.distance[i * 7] == 0);
    for (index i = 0; i < 40; ++i) s.exclude.push_back(i);
    s.check_all();
    s.exclude[3] = -1;
    s.check_all();
  }
  search<TestType>{values<TestType>(5 * 4, 1), std::vector<TestType>(300 * 4, TestType(0.1)), 4, 12}.check_all();
}

TEMPLATE_TEST_CASE("far offsets and tiny spreads lose nothing", "[nearest]", float, double) {
  for (const double offset : {1e3, 1e6, -1e8})
    for (const double scale : {1.0, 1e-3, 1e3}) {
      CAPTURE(offset, scale);
      search<TestType>{values<TestType>(20 * 10, 1, scale, offset), values<TestType>(500 * 10, 2, scale, offset), 10, 5}
          .check_all();
    }
  for (const double scale : {1e-30, 1e-22, 1e17, 1e19, 3e19, 1e25, 1e30}) {
    CAPTURE(scale);
    auto references = values<TestType>(200 * 3, 2, scale);
    for (index j = 0; j < 60; ++j) references[static_cast<std::size_t>(7 * j)] *= TestType(1e-5);
    search<TestType>{values<TestType>(20 * 3, 1, scale), references, 3, 4}.check_all();
  }
}

TEST_CASE("fewer references than neighbours leave empty places", "[nearest]") {
  search<float> s{values<float>(2 * 3, 1), values<float>(3 * 3, 2), 3, 5};
  s.exclude = {1, -1};
  s.check_all();
  const auto f = s.on(pool(1));
  CHECK(f.place[2] == -1);
  CHECK(std::isinf(f.distance[2]));
  CHECK(f.place[7] >= 0);
  CHECK(f.place[8] == -1);
  const search<float> nobody{{}, values<float>(9, 1), 3, 2};
  CHECK(nobody.on(pool(2)).place.empty());
}

TEST_CASE("a query's neighbours do not depend on the queries beside it", "[nearest]") {
  const search<float> s{values<float>(131 * 12, 1), values<float>(900 * 12, 2), 12, 6};
  const auto whole = s.on(pool(2));
  for (const index first : {0, 1, 47, 48, 130})
    for (const index count : {1, 2, 6, 50}) {
      if (first + count > 131) continue;
      const auto part = s.on(pool(1), first, first + count);
      CHECK(same_bits(part.distance, rows_of(whole.distance, 6, first, first + count)));
      CHECK(part.place == rows_of(whole.place, 6, first, first + count));
    }
}

}  // namespace op_test::nearest_test
