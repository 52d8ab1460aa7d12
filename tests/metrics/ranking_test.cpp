// SPDX-License-Identifier: Apache-2.0
#include <anodiff/metrics/ranking.hpp>
#include <catch2/catch.hpp>
#include <limits>
#include <span>

namespace ranking_test {

namespace {

using namespace anodiff;
using metrics::label_view;
using metrics::ranking;

TEST_CASE("a ranking counts both classes at each distinct score, highest first") {
  const ranking ranked(std::vector{1.0, 3.0, 1.0, 2.0, 3.0}, std::vector{0, 1, 1, 0, 1});
  REQUIRE(ranked.positives() == 3);
  REQUIRE(ranked.negatives() == 2);
  const auto groups = ranked.groups();
  REQUIRE(groups.size() == 3);
  REQUIRE((groups[0].score == 3 && groups[0].positives == 2 && groups[0].negatives == 0));
  REQUIRE((groups[1].score == 2 && groups[1].positives == 0 && groups[1].negatives == 1));
  REQUIRE((groups[2].score == 1 && groups[2].positives == 1 && groups[2].negatives == 1));
}

TEST_CASE("labels are read from spans and vectors of int and unsigned char") {
  const std::vector<int> ints{0, 1};
  const std::vector<unsigned char> bytes{0, 1};
  for (const label_view labels : {label_view(ints), label_view(bytes), label_view(std::span<const int>(ints)),
                                  label_view(std::span<const unsigned char>(bytes))}) {
    REQUIRE(labels.size() == 2);
    REQUIRE(labels[0] == 0);
    REQUIRE(labels[1] == 1);
  }
  STATIC_REQUIRE_FALSE(std::is_constructible_v<label_view, std::vector<double>>);
}

TEST_CASE("minus zero ties with zero") {
  REQUIRE(ranking(std::vector{0.0, -0.0}, std::vector{0, 1}).groups().size() == 1);
}

TEST_CASE("a ranking refuses what has no meaning") {
  using Catch::Message;
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_MATCHES(ranking(std::vector<double>{}, std::vector<int>{}), invalid_argument,
                         Message("ranking: needs at least one score, got none"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0, 2.0}, std::vector{1}), invalid_argument,
                         Message("ranking: needs one label for each score, got 2 scores and 1 labels"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0, nan}, std::vector{0, 1}), numeric_error,
                         Message("ranking: needs finite scores, got nan in row 2"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{-inf, 1.0}, std::vector{0, 1}, "auroc"), numeric_error,
                         Message("auroc: needs finite scores, got -inf in row 1"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0, 2.0, 3.0}, std::vector{0, 1, -1}), data_error,
                         Message("ranking: needs labels 0 or 1, got -1 in row 3"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0, 2.0}, std::vector<unsigned char>{0, 255}), data_error,
                         Message("ranking: needs labels 0 or 1, got 255 in row 2"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0, 2.0}, std::vector{0, 0}), data_error,
                         Message("ranking: needs both classes, got 0 anomalies and 2 normals"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector{1.0}, std::vector{1}), data_error,
                         Message("ranking: needs both classes, got 1 anomalies and 0 normals"));
  REQUIRE_THROWS_MATCHES(ranking({{1, 1, 0}, {1, 0, 1}}), invalid_argument,
                         Message("ranking: needs groups in strictly descending order of score, got 1 at group 1"));
  REQUIRE_THROWS_MATCHES(ranking({{1, 1, -2}}), invalid_argument,
                         Message("ranking: needs counts of at least 0, got a negative one in group 0"));
  REQUIRE_THROWS_MATCHES(ranking(std::vector<metrics::tie_group>{}), data_error,
                         Message("ranking: needs both classes, got 0 anomalies and 0 normals"));
}

}  // namespace

}  // namespace ranking_test
