// SPDX-License-Identifier: Apache-2.0
// What holds for every method that remembers rows, through the names that a user gives.
#include <anodiff/formats/read_table.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "support/real_data.hpp"
#include "support/small_rows.hpp"

namespace rows_methods_test {

namespace ad = anodiff;

namespace {

const std::vector<std::string> methods{"dte_np",         "empirical_em",   "knn",
                                       "local_gaussian", "rows_composite", "rows_default"};

ad::any_detector fitted(const std::string& method, const ad::tensor<double, 2>& rows, int threads = 1) {
  auto model = ad::any_detector::make(method, {}, threads);
  model.fit(rows);
  return model;
}

}  // namespace

TEST_CASE("rows methods: a row scores the same alone, in any batch, in any order, on any threads", "[methods][laws]") {
  const auto train = ad::test::normal_rows(300, 5, 1), query = ad::test::normal_rows(41, 5, 2);
  for (const auto& method : methods) {
    CAPTURE(method);
    const auto model = fitted(method, train);
    const auto whole = model.score(query);
    CHECK(fitted(method, train, 3).score(query).score == whole.score);
    for (ad::index i = 0; i < 41; ++i) {
      const auto alone = model.score(query.view().slice(i, i + 1));
      CHECK(alone.score[0] == whole.score[static_cast<std::size_t>(i)]);
      CHECK(std::ranges::equal(alone.map(0), whole.map(i)));
    }
  }
}

TEST_CASE("rows methods: a saved model scores the same bits", "[methods][file]") {
  const auto train = ad::test::normal_rows(120, 4, 3), query = ad::test::normal_rows(30, 4, 4);
  const auto path = (std::filesystem::temp_directory_path() / "anodiff_rows_methods.anodiff").string();
  for (const auto& method : methods) {
    CAPTURE(method);
    const auto model = fitted(method, train);
    model.save(path);
    const auto back = ad::any_detector::load(path, 1);
    const auto before = model.score(query), after = back.score(query);
    CHECK(before.score == after.score);
    CHECK(before.p_value == after.p_value);
    CHECK(back.holds_training_rows());
  }
  std::filesystem::remove(path);
}

TEST_CASE("rows methods: the evidence of the columns adds up to the score and names the planted cause", "[methods]") {
  const auto train = ad::test::normal_rows(400, 6, 5);
  for (const auto& method : methods) {
    CAPTURE(method);
    const auto model = fitted(method, train);
    int named = 0;
    for (ad::index cause = 0; cause < 6; ++cause) {
      const auto query =
          ad::test::shifted(ad::test::normal_rows(20, 6, 6), cause, 8.0 * (1 + static_cast<double>(cause)));
      const auto found = model.score(query);
      for (ad::index i = 0; i < 20; ++i) {
        const auto map = found.map(i);
        double sum = 0;
        for (const float v : map) sum += static_cast<double>(v);
        CHECK(sum / 6 == Approx(found.score[static_cast<std::size_t>(i)]).epsilon(1e-5));
        named += std::ranges::max_element(map) - map.begin() == cause ? 1 : 0;
      }
    }
    CHECK(named >= 108);  // of 120
  }
}

TEST_CASE("rows methods: normal rows raise alarms at the promised rate", "[methods][calibration]") {
  for (const auto& method : methods) {
    CAPTURE(method);
    double alarms = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto model = fitted(method, ad::test::normal_rows(200, 4, 10 + seed));
      for (const auto flag : model.score(ad::test::normal_rows(500, 4, 50 + seed), false).is_anomaly) alarms += flag;
    }
    CHECK(alarms / 5000 == Approx(0.05).margin(0.015));  // sd of the mean coverage of ten fits: 0.005
  }
}

TEST_CASE("rows methods: distances by hand", "[methods]") {
  ad::tensor<double, 2> train{{4, 1}}, query{{1, 1}};
  train(0, 0) = -3;
  train(1, 0) = -1;
  train(2, 0) = 1;
  train(3, 0) = 3;  // mean 0, population deviation sqrt(5)
  query(0, 0) = 4;
  const auto score = [&](const ad::text_fields& numbers) {
    auto all = numbers;
    all.emplace_back("calibration_share", "0");
    auto model = ad::any_detector::make("knn", all, 1);
    model.fit(train);
    return model.score(query).score[0] * std::sqrt(5.0);
  };
  CHECK(score({{"scorer.neighbours", "2"}}) == Approx((1 + 3) / 2.0));
  CHECK(score({{"scorer.neighbours", "3"}, {"scorer.reduction", "kth"}}) == Approx(5));
  CHECK(score({{"scorer.neighbours", "9"}}) == Approx((1 + 3 + 5 + 7) / 4.0));
}

TEST_CASE("rows methods: two rows are enough, and equal ones too", "[methods]") {
  for (const auto& method : methods) {
    CAPTURE(method);
    for (const double step : {0.0, 1.0}) {
      ad::tensor<double, 2> train{{2, 3}}, query{{1, 3}};
      for (ad::index j = 0; j < 3; ++j) train(1, j) = step;
      query(0, 1) = 5;
      auto model = ad::any_detector::make(method, {{"calibration_share", "0"}}, 1);
      model.fit(train);
      CHECK(std::isfinite(model.score(query).score[0]));
    }
  }
}

// Livernoche et al. 2023, arXiv:2305.18593, table of AUROC, semi-supervised, column kNN: sets of 1000 to 50,000 rows,
// on which the protocol draws nothing
TEST_CASE("knn meets its published figures under the published protocol", "[methods][real]") {
#ifdef ANODIFF_HAS_ZLIB
  for (const auto& [name, figure] : {std::pair{"20_letter", 35.43},
                                     {"40_vowels", 82.21},
                                     {"6_cardio", 92.00},
                                     {"31_satimage-2", 99.71},
                                     {"41_Waveform", 75.21},
                                     {"7_Cardiotocography", 62.11},
                                     {"38_thyroid", 98.68},
                                     {"28_pendigits", 99.87}}) {
    const auto path = ad::test::real_data(ad::concat("adbench/classical/", name, ".npz"));
    if (path.empty()) continue;
    CAPTURE(name);
    const auto table = ad::formats::read_table(path, {.allow_missing = true});
    const auto split = ad::published_protocol(table.labels, 0);
    auto train = ad::take_rows(table.values, split.train), test = ad::take_rows(table.values, split.test);
    ad::fill_missing_with_means(train, test);
    std::vector<int> labels;
    for (const auto row : split.test) labels.push_back(table.labels[static_cast<std::size_t>(row)]);
    auto model = ad::any_detector::make("knn", {{"calibration_share", "0"}, {"scorer.reduction", "kth"}}, 1);
    model.fit(train);
    CHECK(100 * ad::metrics::auroc(model.score(test, false).score, labels) == Approx(figure).margin(0.02));
  }
#endif
}

}  // namespace rows_methods_test
