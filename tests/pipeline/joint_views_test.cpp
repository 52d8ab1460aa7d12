// SPDX-License-Identifier: Apache-2.0
// Detectors whose aggregation judges a row's views together.
#include <anodiff/aggregation/joint_density.hpp>
#include <anodiff/aggregation/learned_weights.hpp>
#include <anodiff/aggregation/vote.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/scorers/score_norm.hpp>
#include <catch2/catch.hpp>
#include "support/small_rows.hpp"

namespace joint_views_test {

namespace ad = anodiff;

namespace {

template <class Aggregation>
using detector_of = ad::detector<ad::models::gaussian<ad::cpu_engine>, ad::scorers::score_norm, Aggregation>;

}  // namespace

TEMPLATE_TEST_CASE("joint views: one row scores as in any batch, its evidence adds up, and a file holds all of it",
                   "[pipeline]", ad::aggregation::joint_density, ad::aggregation::learned_weights,
                   ad::aggregation::vote) {
  detector_of<TestType> model{{.seed = 3}};
  model.fit(ad::test::normal_rows(400, 4, 1));
  const auto query = ad::test::shifted(ad::test::normal_rows(30, 4, 2), 2, 20.0);
  const auto whole = model.score(query);
  int named = 0;
  for (ad::index i = 0; i < 30; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto alone = model.score(query.view().slice(i, i + 1));
    CHECK(alone.score[0] == whole.score[at]);
    CHECK(std::ranges::equal(alone.map(0), whole.map(i)));
    double sum = 0;
    for (const float v : whole.map(i)) sum += static_cast<double>(v) / 4;
    CHECK(sum == Approx(whole.score[at]).epsilon(1e-5));
    named += std::ranges::max_element(whole.map(i)) - whole.map(i).begin() == 2 ? 1 : 0;
  }
  CHECK(named == 30);
  double normal = 0, shifted = 0;
  for (const double s : model.score(ad::test::normal_rows(30, 4, 4)).score) normal += s;
  for (const double s : whole.score) shifted += s;
  CHECK(shifted > normal);

  ad::formats::buffer file;
  model.save(file);
  detector_of<TestType> read;
  read.open(ad::formats::parse_safetensors(std::move(file), "memory"));
  CHECK(read.score(query).score == whole.score);
}

TEST_CASE("joint views: rows damaged on purpose differ from their rows, and depend on the seed alone", "[pipeline]") {
  ad::tensor<float, 2> rows{{30, 5}};
  for (std::size_t i = 0; i < rows.flat().size(); ++i)
    rows.flat()[i] = static_cast<float>(ad::random_normal({.seed = 1}, i));
  const auto damaged = ad::damaged_rows(rows.view(), 7);
  CHECK(std::ranges::equal(ad::damaged_rows(rows.view(), 7).flat(), damaged.flat()));
  CHECK_FALSE(std::ranges::equal(ad::damaged_rows(rows.view(), 8).flat(), damaged.flat()));
  for (ad::index i = 0; i < 30; ++i) {
    const std::span<const float> row = rows.row(i), made = damaged.row(i);
    int changed = 0;
    for (std::size_t j = 0; j < 5; ++j) changed += row[j] != made[j] ? 1 : 0;
    if (i % 3 == 1) {
      CHECK(changed == 1);
    } else if (i % 3 == 2) {
      CHECK(made[0] / row[0] == Approx(made[4] / row[4]));
      CHECK((made[0] / row[0] >= 1.19 && made[0] / row[0] <= 1.61));
    }
  }
}

}  // namespace joint_views_test
