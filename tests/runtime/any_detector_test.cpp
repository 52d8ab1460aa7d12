// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/safetensors.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/methods/dte_np.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "support/small_rows.hpp"

namespace any_detector_test {

namespace ad = anodiff;
using ad::test::normal_rows;
using Catch::Matchers::Contains;

namespace {

const ad::text_fields small{{"training.steps", "30"}, {"training.batch", "32"}, {"model.width", "16"}, {"seed", "5"}};

}  // namespace

TEST_CASE("every method can be made by name, fitted, copied, saved and loaded with the same bits") {
  const auto train = normal_rows(120, 4, 1), test = normal_rows(20, 4, 2);
  for (const auto& entry : ad::any_detector::methods()) {
    CAPTURE(entry.name);
    const bool remembers = ad::any_detector::make(entry.name).holds_training_rows();
    auto made = ad::any_detector::make(entry.name, remembers ? ad::text_fields{{"seed", "5"}} : small, 1);
    made.fit(train);
    const auto found = made.score(test);
    CHECK(found.size() == 20);
    CHECK(made.holds_training_rows() == remembers);
    const auto copy = made;
    const std::string path = "any_detector_test.anodiff";
    made.save(path);
    const auto loaded = ad::any_detector::load(path, 2);
    CHECK(loaded.method() == entry.name);
    CHECK(loaded.numbers() == made.numbers());
    CHECK(copy.score(test).score == found.score);
    CHECK(loaded.score(test).score == found.score);
    CHECK(loaded.score(test).p_value == found.p_value);
    const auto in_memory = ad::formats::parse_safetensors(ad::formats::read_file(path), "a buffer");
    CHECK(ad::any_detector::load(in_memory, 1).score(test).score == found.score);
    std::filesystem::remove(path);
  }
}

TEST_CASE("a method by name gives the bits of the one that is written out") {
  const auto train = normal_rows(120, 4, 1), test = normal_rows(20, 4, 2);
  auto by_name = ad::any_detector::make("denoising_error", small, 1);
  ad::methods::denoising_error<ad::cpu_engine> written{
      {.seed = 5, .training = {.steps = 30, .batch = 32}, .model = {.width = 16, .layers = 3}}, ad::cpu_engine{1}};
  by_name.fit(train);
  written.fit(train);
  CHECK(by_name.score(test).score == written.score(test).score);
}

TEST_CASE("a model can be calibrated anew at another rate") {
  const auto train = normal_rows(300, 4, 1), fresh = normal_rows(200, 4, 3), test = normal_rows(20, 4, 2);
  auto made = ad::any_detector::make("dte_np", {}, 1);
  made.fit(train);
  const auto before = made.score(test).score;
  made.calibrate(fresh, 0.01);
  CHECK(made.promised_rate() == 0.01);
  CHECK(made.record().calibration_rows == 200);
  CHECK(made.score(test).score == before);
  CHECK_THROWS_WITH(made.calibrate(fresh, 0.001), Contains("no rate below 1/201 can be promised"));
  CHECK(made.promised_rate() == 0.01);
}

TEST_CASE("unknown names are answered with those that exist") {
  CHECK_THROWS_WITH(ad::any_detector::make("dte"), Contains("dte_np"));
  CHECK_THROWS_WITH(ad::any_detector::make("dte_np", {{"sed", "1"}}), Contains("seed"));
}

}  // namespace any_detector_test
