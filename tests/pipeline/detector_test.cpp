// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/methods/dte_np.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "support/small_rows.hpp"

namespace detector_test {

namespace ad = anodiff;
using ad::test::normal_rows;
using Catch::Matchers::Contains;

namespace {

using learned = ad::methods::denoising_error<ad::cpu_engine>;
using rebuilt = ad::methods::ddpm_reconstruction<ad::cpu_engine>;
using remembered = ad::methods::dte_np<ad::cpu_engine>;

learned::options small() {
  return {.seed = 3,
          .training = {.steps = 40, .batch = 32},
          .model = {.width = 16, .layers = 2, .time_features = 8},
          .scorer = {.levels = 4, .repeats = 2}};
}
rebuilt::options small_rebuilt() {
  return {.steps = 4,
          .seed = 3,
          .training = {.steps = 40, .batch = 32},
          .model = {.width = 16, .hidden = 24, .blocks = 2, .time_features = 8}};
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const ad::error& fault) {
    return fault.what();
  }
  return "nothing was thrown";
}

ad::tensor<double, 2> rows_of(const ad::tensor<double, 2>& x, std::vector<ad::index> which) {
  ad::tensor<double, 2> out{{static_cast<ad::index>(which.size()), x.row_size()}};
  for (std::size_t i = 0; i < which.size(); ++i)
    std::ranges::copy(x.row(which[i]), out.row(static_cast<ad::index>(i)).begin());
  return out;
}

/// Scores, evidence and p-values do not depend on batch, order or threads, and repeat.
template <class Detector>
void check_independence(typename Detector::options numbers) {
  const auto train = normal_rows(150, 5, 1), test = normal_rows(33, 5, 2);
  Detector one{numbers, ad::cpu_engine{1}}, three{numbers, ad::cpu_engine{3}};
  one.fit(train);
  three.fit(train);
  const auto whole = one.score(test);
  CHECK(one.score(test).score == whole.score);
  CHECK(three.score(test).score == whole.score);
  CHECK(three.score(test).evidence == whole.evidence);
  for (const ad::index i : {0, 7, 32}) {
    const auto alone = one.score(rows_of(test, {i}));
    CHECK(alone.score[0] == whole.score[static_cast<std::size_t>(i)]);
    CHECK(std::ranges::equal(alone.map(0), whole.map(i)));
    CHECK(alone.p_value[0] == whole.p_value[static_cast<std::size_t>(i)]);
  }
  std::vector<ad::index> back(33);
  for (ad::index i = 0; i < 33; ++i) back[static_cast<std::size_t>(i)] = 32 - i;
  auto reversed = one.score(rows_of(test, back)).score;
  std::ranges::reverse(reversed);
  CHECK(reversed == whole.score);
  std::vector<double> beside(33);
  std::thread other{[&] { beside = one.score(test).score; }};
  CHECK(one.score(test).score == whole.score);
  other.join();
  CHECK(beside == whole.score);
}

template <class Detector>
void check_file(typename Detector::options numbers, const std::string& path) {
  const auto train = normal_rows(150, 5, 1), test = normal_rows(33, 5, 2);
  Detector made{numbers, ad::cpu_engine{1}};
  made.fit(train, {.columns = {"a", "b", "c", "d", "e"}});
  made.save(path);
  const auto loaded = Detector::load(path, ad::cpu_engine{1});
  const auto before = made.score(test), after = loaded.score(test);
  CHECK(before.score == after.score);
  CHECK(before.evidence == after.evidence);
  CHECK(before.p_value == after.p_value);
  CHECK(before.is_anomaly == after.is_anomaly);
  CHECK(loaded.record().columns == made.record().columns);
  CHECK(ad::to_text(loaded.numbers()) == ad::to_text(made.numbers()));
  std::filesystem::remove(path);
}

}  // namespace

TEST_CASE("a detector's results depend on nothing but the row") {
  SECTION("denoising error") { check_independence<learned>(small()); }
  SECTION("reconstruction") { check_independence<rebuilt>(small_rebuilt()); }
  SECTION("reconstruction from noise") {
    auto numbers = small_rebuilt();
    numbers.start = ad::start::noised(0.3);
    numbers.scorer.repeats = 3;
    check_independence<rebuilt>(numbers);
  }
  SECTION("neighbours") { check_independence<remembered>({.seed = 3}); }
}

TEST_CASE("a detector that was saved and loaded gives the same bits") {
  check_file<learned>(small(), "detector_test_learned.anodiff");
  check_file<rebuilt>(small_rebuilt(), "detector_test_rebuilt.anodiff");
  check_file<remembered>({.seed = 3}, "detector_test_remembered.anodiff");
}

TEST_CASE("anomalies score higher, and the evidence points at the column that was moved") {
  const auto train = normal_rows(400, 5, 1), test = normal_rows(60, 5, 2);
  for (const ad::index column : {0, 3}) {
    const auto moved = ad::test::shifted(test, column, 8.0 * (1 + static_cast<double>(column)));
    const auto check_one = [&](const auto& model) {
      const auto found = model.score(moved);
      int pointed = 0, alarms = 0;
      for (ad::index i = 0; i < moved.rows(); ++i) {
        pointed += std::ranges::max_element(found.map(i)) - found.map(i).begin() == column;
        alarms += found.is_anomaly[static_cast<std::size_t>(i)];
      }
      CHECK(pointed >= 55);
      CHECK(alarms == 60);
    };
    remembered near{{.seed = 3}, ad::cpu_engine{1}};
    near.fit(train);
    check_one(near);
  }
}

TEST_CASE("the promised rate of false alarms is kept on fresh normals") {
  const auto train = normal_rows(2000, 3, 1), fresh = normal_rows(4000, 3, 9);
  remembered near{{.seed = 3, .calibration = {.alpha = 0.1}}, ad::cpu_engine{1}};
  near.fit(train);
  const auto found = near.score(fresh, false);
  const double rate = static_cast<double>(std::ranges::count(found.is_anomaly, 1)) / 4000;
  CHECK(rate == Approx(0.1).margin(0.03));
  for (std::size_t i = 0; i < 50; ++i) CHECK((found.p_value[i] <= 0.1) == (found.is_anomaly[i] == 1));
}

TEST_CASE("bad rows are refused with one sentence, and nothing is lost") {
  const auto train = normal_rows(100, 3, 1);
  remembered near{{.seed = 3}, ad::cpu_engine{1}};
  CHECK_THAT(message_of([&] { (void)near.score(train); }), Contains("nothing has been learned yet"));
  CHECK_THAT(message_of([&] { near.save("never.anodiff"); }), Contains("nothing has been learned yet"));
  near.fit(train, {.columns = {"age", "height", "weight"}});
  const auto before = near.score(train).score;

  CHECK_THAT(message_of([&] { (void)near.score(normal_rows(5, 4, 1)); }),
             Contains("needs samples of 3 columns, got 4"));
  auto holes = normal_rows(5, 3, 1);
  holes(2, 1) = std::numeric_limits<double>::quiet_NaN();
  // the third row; columns without names go by the names that an array's have when it is read
  CHECK_THAT(message_of([&] { (void)near.score(holes); }), Contains("row 3, column 'height' is NaN"));
  CHECK_THAT(message_of([&] { near.fit(holes); }), Contains("row 3, column '1' is NaN"));
  holes(2, 1) = -std::numeric_limits<double>::infinity();
  CHECK_THAT(message_of([&] { (void)near.score(holes); }), Contains("is infinite"));
  CHECK_THAT(message_of([&] { near.fit(normal_rows(0, 3, 1)); }), Contains("at least 2 rows to learn from, got 0"));
  CHECK_THAT(message_of([&] { near.fit(normal_rows(1, 3, 1)); }), Contains("at least 2 rows to learn from, got 1"));
  CHECK_THAT(message_of([&] { near.fit(normal_rows(10, 3, 1)); }), Contains("no rate below 1/11 can be promised"));
  CHECK(near.score(train).score == before);
  CHECK(near.score(normal_rows(0, 3, 1)).size() == 0);

  learned wide{small(), ad::cpu_engine{1}};
  auto numbers = small();
  numbers.memory_limit = 1e6;
  CHECK_THAT(message_of([&] {
               learned{numbers, ad::cpu_engine{1}}.fit(normal_rows(100, 2000, 1));
             }),
             Contains("memory_limit"));
}

TEST_CASE("a fit that was stopped goes on from its checkpoint, to the same bits") {
  const std::string path = "detector_test_checkpoint.safetensors";
  std::filesystem::remove(path);
  const auto train = normal_rows(200, 3, 1), test = normal_rows(20, 3, 2);
  auto numbers = small();
  numbers.training.steps = 80;
  numbers.training.validate_every = 24;
  learned whole{numbers, ad::cpu_engine{1}};
  whole.fit(train);

  // no write is due before the end: what is there was written because training was stopped
  const auto fit = [&](double budget, ad::index stop_at) {
    auto own = numbers;
    own.training.time_budget = budget;
    learned part{own, ad::cpu_engine{1}};
    ad::index first = 0;
    const auto report = [&](const ad::progress& p) {
      if (std::string_view{p.stage} != "train") return true;
      if (first == 0) first = p.done;
      return p.done < stop_at;
    };
    part.fit(train, {.progress = report, .checkpoint = path, .checkpoint_seconds = 1e9});
    return std::pair{first, std::move(part)};
  };
  const auto [first, by_callback] = fit(0, 32);
  CHECK(by_callback.record().steps == 32);
  const auto [second, by_budget] = fit(1e-9, 1000);
  CHECK(second == 48);
  CHECK(by_budget.record().steps == 48);
  const auto [third, finished] = fit(0, 1000);
  CHECK(third == 64);
  CHECK(finished.record().steps == 80);
  const auto [none, again] = fit(0, 1000);  // a training that has ended is not repeated
  CHECK(none == 0);
  CHECK(by_budget.score(test).score != whole.score(test).score);
  for (const auto* made : {&finished, &again}) {
    CHECK(made->score(test).score == whole.score(test).score);
    CHECK(made->record().loss == whole.record().loss);
    CHECK(made->record().validation == whole.record().validation);
  }
  std::filesystem::remove(path);
}

TEST_CASE("a callback that says stop ends scoring and calibrating with an error of their own") {
  const auto train = normal_rows(3000, 3, 1);
  const auto stop_in = [](std::string_view stage) {
    return [stage](const ad::progress& p) { return p.stage != stage; };
  };
  remembered near{{.seed = 3}, ad::cpu_engine{1}};
  const auto in_calibration = stop_in("calibrate"), in_score = stop_in("score"), in_training = stop_in("train");
  CHECK_THROWS_AS(near.fit(train, {.progress = in_calibration}), ad::stopped);
  CHECK_FALSE(near.is_fitted());
  near.fit(train, {.progress = in_score});
  CHECK_THROWS_AS((void)near.score(train, true, in_score), ad::stopped);
  CHECK_THROWS_WITH((void)near.score(train, true, in_score),
                    "detector: stopped by the progress callback while score had 1976 rows left");
  CHECK(near.score(train, true, in_calibration).size() == 3000);
  // training that is stopped has something to keep
  learned early{small(), ad::cpu_engine{1}};
  early.fit(train, {.progress = in_training});
  CHECK(early.is_fitted());
  CHECK(early.record().steps == 16);
}

TEST_CASE("constant columns are learned, and a change in them stands out") {
  auto train = normal_rows(120, 3, 1);
  for (ad::index i = 0; i < 120; ++i) train(i, 1) = 7;
  remembered near{{.seed = 3}, ad::cpu_engine{1}};
  near.fit(train);
  const auto found = near.score(ad::test::shifted(train, 1, 50));
  CHECK(std::ranges::count(found.is_anomaly, 1) == 120);
}

TEST_CASE("a damaged or foreign model file is refused, and the detector stays as it was") {
  const std::string path = "detector_test_damaged.anodiff";
  const auto train = normal_rows(100, 3, 1);
  remembered near{{.seed = 3}, ad::cpu_engine{1}};
  near.fit(train);
  near.save(path);
  const auto before = near.score(train).score;
  std::ifstream in{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  const auto with = [&](std::string content) {
    std::ofstream{path, std::ios::binary} << content;
    return message_of([&] { near.open(path); });
  };
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = bytes;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  CHECK_THAT(with(""), Contains(path));
  CHECK_THAT(with(bytes.substr(0, bytes.size() / 2)), Contains(path));
  CHECK_THAT(with(replaced("\"anodiff.format\":\"1\"", "\"anodiff.format\":\"9\"")),
             Contains("format 9") && Contains("reads formats up to 6"));
  CHECK_THAT(with(replaced("\"policy.model\":\"knn\"", "\"policy.model\":\"mlp\"")),
             Contains("'mlp'") && Contains("'knn'"));
  CHECK_THAT(with(replaced("\"sample\":\"[3]\"", "\"sample\":\"[4]\"")), Contains(path));
  CHECK_THAT(message_of([&] { (void)learned::load(path); }), Contains(path));
  CHECK(near.score(train).score == before);
  CHECK_THAT(message_of([&] { near.open("there/is/none.anodiff"); }), Contains("none.anodiff"));
  std::filesystem::remove(path);
}

TEST_CASE("a detector goes through memory as it goes through a file") {
  const std::string path = "detector_test_bytes.anodiff";
  const auto train = normal_rows(100, 3, 1);
  remembered made{{.seed = 3}, ad::cpu_engine{1}}, opened{{}, ad::cpu_engine{1}};
  ad::formats::buffer bytes;
  CHECK_THAT(message_of([&] { made.save(bytes); }), Contains("nothing has been learned yet"));
  made.fit(train);
  made.save(bytes);
  made.save(path);
  const auto file = ad::formats::read_file(path);
  CHECK(std::ranges::equal(bytes.span(), file.span()));
  const auto parsed = ad::formats::parse_safetensors(std::move(bytes), "the network's answer");
  CHECK(ad::method_of(parsed) == "dte_np");
  opened.open(parsed);
  CHECK(opened.score(train).score == made.score(train).score);
  CHECK_THAT(message_of([&] { (learned{small()}).open(parsed); }), Catch::StartsWith("the network's answer: "));
  std::filesystem::remove(path);
}

TEST_CASE("a file is refused by a detector that differs in one policy alone") {
  using by_l1 = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::scorers::reconstruction<ad::distances::l1>>;
  using by_l2 = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::scorers::reconstruction<ad::distances::l2>>;
  const std::string path = "detector_test_l1.anodiff";
  by_l1 made{{.steps = 2, .training = {.steps = 5}, .model = {.width = 8, .layers = 1, .time_features = 4}},
             ad::cpu_engine{1}};
  made.fit(normal_rows(60, 3, 1));
  CHECK(made.network_calls() == 2);
  made.save(path);
  CHECK_THAT(message_of([&] { (void)by_l2::load(path); }), Contains("policy.distance 'l1'"));
  std::filesystem::remove(path);
}

TEST_CASE("a model that asks for more parameters than the file holds is refused before they are made") {
  const std::string path = "detector_test_wide.anodiff";
  learned made{small(), ad::cpu_engine{1}};
  made.fit(normal_rows(60, 3, 1));
  made.save(path);
  std::ifstream in{path, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  const std::string from = "\"numbers.model.width\":\"16\",\"numbers.model.layers\":\"2\"";
  const std::string to = "\"numbers.model.width\":\"65\",\"numbers.model.layers\":\"2\"";
  const auto at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  std::ofstream{path, std::ios::binary} << bytes.replace(at, from.size(), to);
  CHECK_THAT(message_of([&] { (void)learned::load(path); }), Catch::StartsWith(path) && Contains("needs shape"));
  std::filesystem::remove(path);
}

TEST_CASE("leaving one out keeps to the rows that are remembered") {
  const auto train = normal_rows(200, 3, 1);
  CHECK_THAT(message_of([&] {
               remembered{{.model = {.reference_rows = 10}}, ad::cpu_engine{1}}.fit(train);
             }),
             Contains("got 10"));
  remembered few{{.model = {.reference_rows = 30}, .calibration = {.alpha = 0.1}}, ad::cpu_engine{1}};
  few.fit(train);
  CHECK(few.record().calibration_rows == 30);
}

TEST_CASE("numbers are set by name, and unknown names are answered with those that exist") {
  learned::options numbers;
  ad::assign(numbers, "training.steps", "12");
  ad::assign(numbers, "start.kind", "clean");
  CHECK(numbers.training.steps == 12);
  CHECK(numbers.start.kind == ad::start_kind::clean);
  CHECK_THAT(message_of([&] { ad::assign(numbers, "training.stepz", "1"); }), Contains("training.steps"));
  CHECK_THAT(message_of([&] { ad::assign(numbers, "seed", "many"); }), Contains("whole number"));
  CHECK_THAT(message_of([&] { ad::assign(numbers, "start.kind", "warm"); }), Contains("noised, scaled, clean"));
  numbers.steps = 0;
  CHECK_THAT(message_of([&] { learned{numbers}; }), Contains("steps must be at least 1"));
}

}  // namespace detector_test
