// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/knn.hpp>
#include "laws/policy_laws.hpp"

using namespace anodiff;
using models::knn;

namespace {

tensor<float, 2> cloud(std::uint64_t seed, laws::index n, laws::index d, double offset = 0, int steps = 0) {
  tensor<float, 2> x{{n, d}};
  for (std::size_t i = 0; i < x.flat().size(); ++i) {
    const double u = laws::uniform(seed, i, -1, 1);
    x.flat()[i] = static_cast<float>(offset + (steps > 0 ? std::floor(u * steps) : u));
  }
  return x;
}

struct found {
  std::vector<double> distance;
  std::vector<laws::index> place;
  bool operator==(const found&) const = default;
};

found ask(const knn<cpu_engine>& model, tensor_view<const float, 2> query, laws::index k,
          const std::vector<laws::index>& exclude = {}) {
  const auto size = static_cast<std::size_t>(query.rows() * k);
  found out{std::vector<double>(size), std::vector<laws::index>(size)};
  model.neighbours(query, k, exclude, out.distance.data(), out.place.data());
  return out;
}

/// Every pair, in the order of the operation's own sum.
found by_hand(tensor_view<const float, 2> x, tensor_view<const float, 2> query, laws::index k,
              const std::vector<laws::index>& exclude = {}) {
  found out;
  for (laws::index i = 0; i < query.rows(); ++i) {
    std::vector<std::pair<double, laws::index>> all;
    for (laws::index r = 0; r < x.rows(); ++r)
      if (exclude.empty() || exclude[static_cast<std::size_t>(i)] != r)
        all.emplace_back(ops::squared_distance(query.row(i).data(), x.row(r).data(), x.row_size()), r);
    std::sort(all.begin(), all.end());
    all.resize(static_cast<std::size_t>(k), {INFINITY, -1});
    for (const auto& [distance, place] : all) {
      out.distance.push_back(distance);
      out.place.push_back(place);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("knn: a policy", "[models]") {
  laws::check_policy<knn<cpu_engine>>({.reference_rows = 12});
  CHECK_THROWS_WITH((knn<cpu_engine>{{.reference_rows = 0}}), "models::knn: reference_rows must be at least 1, got 0");
}

TEST_CASE("knn: four points by hand", "[models]") {
  tensor<float, 2> x{{4, 1}}, query{{2, 1}};
  const float points[] = {0, 10, 3, 3}, asked[] = {2, 11};
  std::copy(std::begin(points), std::end(points), x.data());
  std::copy(std::begin(asked), std::end(asked), query.data());
  knn<cpu_engine> model{{}, cpu_engine{1}};
  model.remember(x, 0);
  const auto got = ask(model, query, 3);
  CHECK(got.distance == std::vector<double>{1, 1, 4, 1, 64, 64});
  CHECK(got.place == std::vector<laws::index>{2, 3, 0, 1, 2, 3});  // ties by the lower place
  // more than there are: the rest is marked
  const auto all = ask(model, query.view().slice(0, 1), 6);
  CHECK(all.place == std::vector<laws::index>{2, 3, 0, 1, -1, -1});
  CHECK(all.distance[4] == INFINITY);
}

TEST_CASE("knn: exact for any numbers of rows, queries and threads", "[models]") {
  for (const int threads : {1, 2, 3})
    for (const laws::index n : {5, 33, 700})
      for (const laws::index d : {1, 7, 33}) {
        const auto x = cloud(1, n, d), query = cloud(2, 130, d);
        knn<cpu_engine> model{{}, cpu_engine{threads}};
        model.remember(x, 0);
        for (const laws::index queries : {1, 7, 47, 130}) {
          INFO(threads << " threads, " << n << " x " << d << ", " << queries << " queries");
          const auto some = query.view().slice(0, queries);
          CHECK(ask(model, some, 4) == by_hand(x, some, 4));
        }
      }
}

TEST_CASE("knn: few queries on many threads find the same every time", "[models][threads]") {
  // a block of queries that one task could take alone is split over the references: the lists must not be shared
  const auto x = cloud(3, 4000, 6), query = cloud(4, 40, 6);
  knn<cpu_engine> model{{}, cpu_engine{3}};
  model.remember(x, 0);
  const auto want = by_hand(x, query, 10);
  int wrong = 0;
  for (int repeat = 0; repeat < 200; ++repeat) wrong += ask(model, query, 10) != want;
  CHECK(wrong == 0);
}

TEST_CASE("knn: far from the origin, products cancel and the answer does not", "[models]") {
  for (const double offset : {1e3, 1e5}) {
    const auto x = cloud(5, 300, 5, offset), query = cloud(6, 20, 5, offset);
    knn<cpu_engine> model{{}, cpu_engine{2}};
    model.remember(x, 0);
    INFO(offset);
    CHECK(ask(model, query, 6) == by_hand(x, query, 6));
  }
}

TEST_CASE("knn: many equal rows", "[models]") {
  const auto x = cloud(7, 400, 2, 0, 2), query = cloud(8, 30, 2, 0, 2);
  knn<cpu_engine> model{{}, cpu_engine{3}};
  model.remember(x, 0);
  CHECK(ask(model, query, 20) == by_hand(x, query, 20));
}

TEST_CASE("knn: a row is left out where it is asked for itself", "[models]") {
  const auto x = cloud(9, 150, 4);
  knn<cpu_engine> model{{}, cpu_engine{2}};
  model.remember(x, 0);
  std::vector<laws::index> self(150);
  for (std::size_t i = 0; i < self.size(); ++i) self[i] = static_cast<laws::index>(i);
  const auto got = ask(model, x, 3, self);
  CHECK(got == by_hand(x, x, 3, self));
  CHECK(got.distance[0] > 0);
}

TEST_CASE("knn: more rows than wanted are thinned by the seed", "[models]") {
  const auto x = cloud(10, 500, 3);
  const auto remember = [&](std::uint64_t seed, laws::index rows) {
    knn<cpu_engine> model{{.reference_rows = rows}, cpu_engine{1}};
    model.remember(x, seed);
    return model;
  };
  const auto model = remember(1, 50);
  const std::vector<laws::index> kept(model.remembered().begin(), model.remembered().end());
  CHECK(kept.size() == 50);
  auto sorted = kept;
  std::sort(sorted.begin(), sorted.end());
  CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
  for (laws::index i = 0; i < 50; ++i)
    CHECK(std::ranges::equal(model.rows().row(i), x.row(kept[static_cast<std::size_t>(i)])));
  const auto again = remember(1, 50), other = remember(2, 50);
  CHECK(std::ranges::equal(again.remembered(), kept));
  CHECK(!std::ranges::equal(other.remembered(), kept));
  CHECK(remember(1, 500).remembered().size() == 500);
}

TEST_CASE("knn: stored and read back", "[models]") {
  const auto x = cloud(11, 60, 3), query = cloud(12, 9, 3);
  knn<cpu_engine> model{{}, cpu_engine{1}}, read{{}, cpu_engine{1}};
  model.remember(x, 0);
  tensor<float, 2> stored;
  model.tensors([&](std::string_view name, tensor_view<const float, 2> values) {
    CHECK(name == "rows");
    stored = tensor<float, 2>{values};
  });
  read.restore({{3}, 0}, [&](std::string_view) { return stored; });
  CHECK(ask(read, query, 5) == ask(model, query, 5));
  CHECK_THROWS_WITH(read.restore({{4}, 0}, [&](std::string_view) { return stored; }),
                    "model 'knn': rows need 4 columns, got 3");
  CHECK_THROWS_AS(read.restore({{3}, 0}, [&](std::string_view) { return tensor<float, 2>{{0, 3}}; }), data_error);
}
