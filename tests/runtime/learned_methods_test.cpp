// SPDX-License-Identifier: Apache-2.0
// What holds for every method that learns a network on rows, through the names that a user gives.
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <catch2/catch.hpp>
#include <cmath>

#include "support/small_rows.hpp"

namespace learned_methods_test {

namespace ad = anodiff;

namespace {

const std::vector<std::string> methods{"ddae", "ddpm_ood",   "diffpath",        "dte_c", "dte_gaussian", "dte_ig",
                                       "elbo", "likelihood", "mixed_diffusion", "msma",  "score_norm",   "tabadm"};
const ad::text_fields small{{"training.steps", "600"}, {"training.batch", "64"},     {"training.rate", "3e-3"},
                            {"model.width", "32"},     {"training.average", "0.99"}, {"seed", "5"}};

ad::any_detector fitted(const std::string& method, const ad::tensor<double, 2>& rows, int threads = 1) {
  auto model = ad::any_detector::make(method, small, threads);
  model.fit(rows);
  return model;
}

}  // namespace

TEST_CASE("learned methods: a row scores the same alone, in any batch, in any order, on any threads",
          "[methods][laws]") {
  const auto train = ad::test::normal_rows(300, 5, 1), query = ad::test::normal_rows(23, 5, 2);
  ad::tensor<double, 2> reversed{query.extents()};
  for (ad::index i = 0; i < 23; ++i) std::ranges::copy(query.row(i), reversed.row(22 - i).begin());
  for (const auto& method : methods) {
    CAPTURE(method);
    const auto model = fitted(method, train);
    const auto whole = model.score(query), back = model.score(reversed);
    CHECK(fitted(method, train, 3).score(query).score == whole.score);
    for (ad::index i = 0; i < 23; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto alone = model.score(query.view().slice(i, i + 1));
      CHECK(alone.score[0] == whole.score[at]);
      CHECK(std::ranges::equal(alone.map(0), whole.map(i)));
      CHECK(back.score[22 - at] == whole.score[at]);
    }
  }
}

TEST_CASE("learned methods: a shifted column ranks above normal rows and is named; evidence adds up to the score",
          "[methods]") {
  const auto train = ad::test::normal_rows(400, 6, 5), normal = ad::test::normal_rows(60, 6, 7);
  for (const auto& method : methods) {
    CAPTURE(method);
    const auto model = fitted(method, train);
    int named = 0;
    double rank = 0;
    const auto plain = model.score(normal).score;
    for (ad::index cause = 0; cause < 6; ++cause) {
      const auto query =
          ad::test::shifted(ad::test::normal_rows(20, 6, 6), cause, 8.0 * (1 + static_cast<double>(cause)));
      const auto found = model.score(query);
      std::vector<double> scores = plain;
      scores.insert(scores.end(), found.score.begin(), found.score.end());
      std::vector<int> labels(plain.size());
      labels.resize(scores.size(), 1);
      rank += ad::metrics::auroc(scores, labels) / 6;
      for (ad::index i = 0; i < 20; ++i) {
        const auto map = found.map(i);
        double sum = 0, size = 0;
        for (const float v : map) {
          sum += static_cast<double>(v);
          size += std::abs(static_cast<double>(v));
        }
        CHECK(sum / 6 == Approx(found.score[static_cast<std::size_t>(i)]).margin(1e-5 * size));
        named += std::ranges::max_element(map) - map.begin() == cause ? 1 : 0;
      }
    }
    INFO("AUROC " << rank << ", named " << named << " of 120");
    CHECK(rank > 0.98);
    CHECK(named > 108);
  }
}

TEST_CASE("tabadm: planted anomalies among the training rows cost less with rejection", "[methods]") {
  // the first rows are a cluster, 2.5 deviations off in each column, whose like is then to be found
  const auto planted = [](ad::index n, ad::index few, std::uint64_t seed) {
    auto rows = ad::test::normal_rows(n, 4, seed);
    for (ad::index i = 0; i < few; ++i)
      for (ad::index j = 0; j < 4; ++j) {
        const double z = ad::random_normal({.seed = seed, .draw = 2}, static_cast<std::uint64_t>(i * 4 + j));
        rows(i, j) = static_cast<double>(j) + (1 + static_cast<double>(j)) * ((j % 2 == 0 ? 2.5 : -2.5) + 0.3 * z);
      }
    return rows;
  };
  const auto query = planted(400, 100, 90);
  std::vector<int> labels(400);
  std::fill_n(labels.begin(), 100, 1);
  const auto auroc = [&](ad::index few, const std::string& rejected) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      auto model = ad::any_detector::make("tabadm",
                                          {{"training.steps", "1000"},
                                           {"training.batch", "128"},
                                           {"training.rate", "3e-3"},
                                           {"training.average", "0.99"},
                                           {"model.width", "32"},
                                           {"objective.rejected", rejected}},
                                          1);
      model.fit(planted(600, few, seed));
      sum += ad::metrics::auroc(model.score(query, false).score, labels) / 2;
    }
    return sum;
  };
  const double clean = auroc(0, "0"), rejecting = auroc(60, "0.2"), learning = auroc(60, "0");
  INFO("AUROC clean " << clean << ", with rejection " << rejecting << ", without " << learning);
  CHECK(clean > 0.99);
  CHECK(clean - rejecting < 0.6 * (clean - learning));
}

}  // namespace learned_methods_test
