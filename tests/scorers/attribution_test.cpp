// SPDX-License-Identifier: Apache-2.0
// The column that was tampered with has the most evidence, of scorers whose score says nothing else of the cause.
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/empirical.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/projection_regret.hpp>
#include <anodiff/scorers/round_trip.hpp>
#include <anodiff/scorers/sample_disagreement.hpp>
#include <catch2/catch.hpp>
#include "support/small_rows.hpp"

namespace attribution_test {

namespace ad = anodiff;

namespace {

using table = ad::tensor<double, 2>;
constexpr ad::index columns = 5, planted = 40;

/// Every column lies near one of two habits, 10 j − 2 and 10 j + 2, whatever the others do.
table habits(ad::index n, std::uint64_t seed) {
  table x{{n, columns}};
  for (std::size_t e = 0; e < x.flat().size(); ++e) {
    const auto at = static_cast<std::uint64_t>(e);
    const double habit = ad::random_uniform({.seed = seed, .draw = 1}, at) < 0.5 ? -2 : 2;
    x.flat()[e] = 10 * static_cast<double>(e % columns) + habit + 0.3 * ad::random_normal({.seed = seed}, at);
  }
  return x;
}
/// Row i with its column i mod columns `off` from the middle of that column's habits.
table displaced(table x, double off) {
  for (ad::index i = 0; i < x.rows(); ++i) x(i, i % columns) = 10 * static_cast<double>(i % columns) + off;
  return x;
}

/// Row i of `tampered` is that of `usual` but for column i mod columns: it names that column, and scores higher.
template <class Detector>
void check_named(Detector model, const table& train, const table& usual, const table& tampered) {
  model.fit(train);
  const auto before = model.score(usual), found = model.score(tampered);
  int named = 0, above = 0;
  for (ad::index i = 0; i < planted; ++i) {
    const auto map = found.map(i);
    named += std::ranges::max_element(map) - map.begin() == i % columns ? 1 : 0;
    above += found.score[static_cast<std::size_t>(i)] > before.score[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  INFO(named << " of " << planted << " named, " << above << " above");
  CHECK(named >= 0.85 * planted);
  CHECK(above >= 0.85 * planted);
}
/// The same by the exact denoiser and by a network.
template <class Exact, class Scorer>
void check_scorer(const typename Scorer::params& numbers, const table& train, const table& usual,
                  const table& tampered) {
  SECTION("of an exact denoiser") {
    check_named(
        ad::detector<Exact, Scorer>{
            {.start = ad::start::noised(0.12), .seed = 4, .calibration_share = 0, .scorer = numbers}},
        train, usual, tampered);
  }
  SECTION("of a network") {
    check_named(
        ad::detector<ad::models::mlp<ad::cpu_engine>, Scorer>{
            {.start = ad::start::noised(0.12),
             .seed = 4,
             .calibration_share = 0,
             .training = {.steps = 1500, .batch = 128, .rate = 2e-3, .average = 0.99},
             .model = {.width = 64, .layers = 3},
             .scorer = numbers}},
        train, usual, tampered);
  }
}

using empirical = ad::models::empirical<ad::cpu_engine>;
using gaussian = ad::models::gaussian<ad::cpu_engine>;

}  // namespace

TEST_CASE("round trip names the column that lies far out", "[scorers][attribution]") {
  const auto usual = ad::test::normal_rows(planted, columns, 2);
  auto tampered = usual;
  for (ad::index i = 0; i < planted; ++i)
    tampered(i, i % columns) += (i % 2 == 0 ? 6 : -6) * (1 + static_cast<double>(i % columns));
  check_scorer<gaussian, ad::scorers::round_trip>({}, ad::test::normal_rows(800, columns, 1), usual, tampered);
}

TEST_CASE("sample disagreement names the column that lies between its habits", "[scorers][attribution]") {
  const auto usual = habits(planted, 2);
  check_scorer<empirical, ad::scorers::sample_disagreement>({.repeats = 16}, habits(800, 1), usual,
                                                            displaced(usual, 0));
}

TEST_CASE("projection regret names the column that lies outside its habits", "[scorers][attribution]") {
  const auto usual = habits(planted, 2);
  check_scorer<empirical, ad::scorers::projection_regret<ad::distances::l2>>({.repeats = 16}, habits(800, 1), usual,
                                                                             displaced(usual, 5));
}

}  // namespace attribution_test
