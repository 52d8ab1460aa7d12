// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/knn.hpp>
#include <anodiff/scorers/dte_np.hpp>
#include "laws/scorer_laws.hpp"

namespace dte_np_test {

using namespace anodiff;
using scorers::dte_np;

namespace {

using memory_type = models::knn<cpu_engine>;
using scene_type = laws::scorer_scene<memory_type, dte_np>;

scene_type scene(const tensor<float, 2>& rows, laws::index neighbours, int threads = 1) {
  memory_type model{{}, cpu_engine{threads}};
  model.remember(rows.view(), 1);
  return {model, dte_np{{.neighbours = neighbours}}, rows.row_size()};
}

tensor<float, 2> rows_of(std::initializer_list<std::array<float, 2>> rows) {
  tensor<float, 2> out{{static_cast<laws::index>(rows.size()), 2}};
  for (auto to = out.data(); const auto& row : rows) to = std::copy(row.begin(), row.end(), to);
  return out;
}

}  // namespace

TEST_CASE("DTE-NP keeps the laws of a scorer", "[scorers][laws]") {
  const auto remembered = laws::seeded_rows(2, 150, 4);
  for (const laws::index neighbours : {1, 10})
    laws::check_scorer([&](int threads) { return scene(remembered, neighbours, threads); },
                       laws::seeded_rows(1, 29, 4));
}

TEST_CASE("DTE-NP: each column's share of the squared distances, by hand", "[scorers]") {
  const auto s = scene(rows_of({{0, 0}, {2, 0}, {0, 1}, {50, 50}}), 2);
  const auto found = s.evidence(rows_of({{1, 0}, {0, 4}, {50, 50}}));
  REQUIRE(found.extents() == shape<3>{1, 3, 2});
  const float expected[] = {1,
                            0,  // (0, 0) and (2, 0): 1 and 1, 0 and 0
                            0,
                            (9 + 16) / 2.0F,  // (0, 1) and (0, 0)
                            48 * 48 / 2.0F,
                            50 * 50 / 2.0F};  // itself and (2, 0)
  CHECK(std::ranges::equal(found.flat(), expected));
}

TEST_CASE("DTE-NP: a row among copies of itself scores 0", "[scorers]") {
  const auto s = scene(rows_of({{3, 1}, {3, 1}, {3, 1}, {9, 9}}), 3);
  const auto found = s.evidence(rows_of({{3, 1}}));
  CHECK(std::ranges::all_of(found.flat(), [](float e) { return e == 0; }));
}

TEST_CASE("DTE-NP: a remembered row is scored without itself, but not without its copies", "[scorers]") {
  const auto remembered = rows_of({{0, 0}, {3, 0}, {3, 0}});
  const auto s = scene(remembered, 1);
  auto run = s.scorer.prepare(s.context(), 3);
  tensor<float, 3> out{{1, 3, 2}};
  const std::vector<laws::index> self{0, 1, 2};
  run.evidence_without(remembered.view(), self, out.view());
  const float expected[] = {9, 0, 0, 0, 0, 0};
  CHECK(std::ranges::equal(out.flat(), expected));
}

TEST_CASE("DTE-NP: more neighbours than rows are all of them", "[scorers]") {
  const auto remembered = rows_of({{0, 0}, {2, 0}});
  const auto s = scene(remembered, 10);
  CHECK(s.evidence(rows_of({{4, 0}})).flat()[0] == (16 + 4) / 2.0F);
  auto run = s.scorer.prepare(s.context(), 2);
  tensor<float, 3> out{{1, 2, 2}};
  const std::vector<laws::index> self{0, 1};
  run.evidence_without(remembered.view(), self, out.view());
  CHECK(out.flat()[0] == 4);  // the other one alone
  CHECK_THROWS_WITH((dte_np{{.neighbours = 0}}), "scorers::dte_np: neighbours must lie in [1, 1024], got 0");
}

}  // namespace dte_np_test
