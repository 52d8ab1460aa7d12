// SPDX-License-Identifier: Apache-2.0
// Detectors on numbers, categories and gaps together.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/knn.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pooling/max.hpp>
#include <anodiff/preprocessing/mixed.hpp>
#include <anodiff/scorers/denoising_error.hpp>
#include <catch2/catch.hpp>
#include <limits>
#include "support/small_rows.hpp"

namespace mixed_columns_test {

namespace ad = anodiff;
using Catch::Matchers::Contains;

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();
const ad::fit_options told{
    .columns = {"size", "weight", "colour"},
    .schema = {{}, {}, {ad::formats::column_kind::categorical, {"blue", "green", "red", "violet"}}}};

using neighbours = ad::detector<ad::methods::knn_preset, ad::models::knn<ad::cpu_engine>,
                                ad::scorers::neighbour_distance, ad::preprocessing::mixed>;
using network = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::scorers::denoising_error, ad::preprocessing::mixed>;

using ad::test::culprit;
/// Blue, green and red; violet twice in all.
ad::tensor<double, 2> rows(ad::index n, std::uint64_t seed) {
  auto out = ad::test::coloured_rows(n, seed);
  if (n > 300) out(100, 2) = out(250, 2) = 3;
  return out;
}
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const ad::error& fault) {
    return fault.what();
  }
  return {};
}
network::options small_network() {
  return {.seed = 3, .training = {.steps = 600, .batch = 128, .average = 0.99}, .model = {.width = 64, .layers = 2}};
}

template <class Detector>
void find_what_was_planted(Detector model) {
  model.fit(rows(800, 1), told);
  auto fresh = rows(200, 2);
  const auto usual = model.score(fresh);
  REQUIRE(usual.evidence.extents() == ad::shape<2>{200, 3});
  fresh(10, 2) = 3;    // a rare category
  fresh(20, 2) = 4;    // one that was never seen
  fresh(30, 0) = gap;  // a value that was never missing
  fresh(40, 2) = gap;
  fresh(50, 0) = 1.5;  // big, yet blue
  fresh(50, 1) = 4.5;
  fresh(50, 2) = 0;
  const auto found = model.score(fresh);
  for (const auto& [row, column] : {std::pair<ad::index, ad::index>{10, 2}, {20, 2}, {30, 0}, {40, 2}}) {
    INFO("row " << row);
    const auto i = static_cast<std::size_t>(row);
    CHECK(std::ranges::count_if(usual.score, [&](double s) { return s >= found.score[i]; }) <= 2);
    CHECK(found.is_anomaly[i] == 1);
    CHECK(culprit(found.map(row)) == column);
  }
  CHECK(found.score[50] > usual.score[50]);
  CHECK(found.score[0] == usual.score[0]);
}

}  // namespace

TEST_CASE("a rare category, an unknown one and a gap are found, and named by their column", "[pipeline][mixed]") {
  SECTION("by neighbours") { find_what_was_planted(neighbours{}); }
  SECTION("by a network") { find_what_was_planted(network{small_network()}); }
}

TEST_CASE("gaps that are usual are no alarm", "[pipeline][mixed]") {
  const auto with_gaps = [](ad::tensor<double, 2> x) {
    for (ad::index i = 0; i < x.rows(); i += 4) x(i, 1) = gap;
    return x;
  };
  neighbours model;
  model.fit(with_gaps(rows(800, 1)), told);
  const auto found = model.score(with_gaps(rows(200, 2)));
  double alarms = 0;
  for (std::size_t i = 0; i < 200; i += 4) alarms += found.is_anomaly[i];
  CHECK(alarms <= 6);
}

TEST_CASE("numbers alone rank as they do without mixed columns", "[pipeline][mixed]") {
  ad::tensor<double, 2> x{{300, 2}};
  for (std::size_t i = 0; i < 600; ++i) x.data()[i] = ad::random_normal({.seed = 4}, i);
  ad::methods::knn<ad::cpu_engine> plain;
  neighbours mixed;
  plain.fit(x);
  mixed.fit(x);
  const auto expected = plain.score(x), found = mixed.score(x);
  for (std::size_t i = 0; i < 300; ++i)
    CHECK(found.score[i] == Approx(2 * expected.score[i]).epsilon(1e-5));  // of two outputs a column
  CHECK(found.is_anomaly == expected.is_anomaly);
}

TEST_CASE("a saved detector of mixed columns comes back to the bit", "[pipeline][mixed][file]") {
  const auto scale = GENERATE(ad::preprocessing::numeric_scale::standard, ad::preprocessing::numeric_scale::quantile);
  neighbours model{{.preprocessing = {.numeric = scale}}};
  model.fit(rows(400, 1), told);
  ad::formats::buffer bytes;
  model.save(bytes);
  const auto text = std::string{ad::formats::text_of(bytes.span())};
  const auto opened = [](const std::string& content) {
    ad::formats::buffer copy;
    copy.write(ad::formats::bytes_of(content));
    neighbours out;
    out.open(ad::formats::parse_safetensors(std::move(copy), "m"));
    return out;
  };
  const auto again = opened(text);
  auto fresh = rows(50, 2);
  fresh(3, 1) = gap;
  fresh(4, 2) = 4;
  const auto expected = model.score(fresh), found = again.score(fresh);
  CHECK(found.score == expected.score);
  CHECK(std::ranges::equal(found.evidence.flat(), expected.evidence.flat()));
  CHECK(again.record().schema == told.schema);
  CHECK(again.record().columns == told.columns);

  const auto replaced = [&](std::string_view from, std::string_view to) {
    auto out = text;
    REQUIRE(out.find(from) != std::string::npos);
    return out.replace(out.find(from), from.size(), to);
  };
  CHECK(text.find("\"anodiff.format\":\"2\"") != std::string::npos);
  CHECK_THAT(message_of([&] { opened(replaced("\"anodiff.format\":\"2\"", "\"anodiff.format\":\"9\"")); }),
             Contains("reads formats up to 6"));
  CHECK_THAT(message_of([&] { opened(replaced("green", "alien")); }),
             Contains("the categories of a column must stand in sorted order, each once"));
  CHECK_THAT(message_of([&] { opened(replaced("[null,null,[\\\"blue\\\"", "[null,     [\\\"blue\\\"")); }),
             Contains("needs the schema of 3 columns, got 2"));
  CHECK_THAT(message_of([&] { opened(replaced("[\\\"blue\\\",", "[         ")); }),
             Contains("the schema must agree with preprocessing.categories; column 2 does not"));
  CHECK_THAT(message_of([&] { opened(replaced("preprocessing.spread", "preprocessing.sqread")); }),
             Contains("needs a tensor \"preprocessing.spread\", got none"));
  for (std::size_t at = 8; at < text.size(); at += std::max<std::size_t>(1, text.size() / 400)) {
    auto damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    try {
      (void)opened(damaged).score(fresh);
    } catch (const ad::error&) {
    }
  }
}

TEST_CASE("a file of numbers alone keeps the first format", "[pipeline][mixed][file]") {
  ad::methods::knn<ad::cpu_engine> model;
  model.fit(rows(100, 1));
  ad::formats::buffer bytes;
  model.save(bytes);
  CHECK(ad::formats::text_of(bytes.span()).find("\"anodiff.format\":\"1\"") != std::string_view::npos);
}

TEST_CASE("categories and gaps are refused where the preprocessing takes none", "[pipeline][mixed]") {
  ad::methods::knn<ad::cpu_engine> plain;
  CHECK(message_of([&] { plain.fit(rows(100, 1), told); }) ==
        "detector::fit: column 'colour' holds categories, and the preprocessing 'standardize' takes numbers alone; use "
        "preprocessing::mixed");
  auto x = rows(100, 1);
  x(4, 1) = gap;
  CHECK(message_of([&] { plain.fit(x); }) == "detector::fit: row 5, column '1' is NaN; replace or remove it first");
  neighbours mixed;
  x(4, 1) = std::numeric_limits<double>::infinity();
  CHECK(message_of([&] { mixed.fit(x); }) ==
        "detector::fit: row 5, column '1' is infinite; replace or remove it first");
  CHECK(message_of([&] {
          mixed.fit(rows(100, 1), {.schema = {{}, {}}});
        }) == "detector::fit: 2 column schemas for 3 columns");
}

}  // namespace mixed_columns_test
