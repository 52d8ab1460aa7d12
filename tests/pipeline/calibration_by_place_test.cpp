// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/local_conformal.hpp>
#include <anodiff/calibration/prototype_conformal.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/scorers/neighbour_distance.hpp>
#include <catch2/catch.hpp>
#include "support/small_rows.hpp"

namespace calibration_by_place_test {

namespace ad = anodiff;

namespace {

template <class Calibration>
using detector_of = ad::detector<ad::models::knn<ad::cpu_engine>, ad::scorers::neighbour_distance, Calibration>;

}  // namespace

TEMPLATE_TEST_CASE("calibration by place: a row is judged alone as in any batch, and a file holds the places",
                   "[pipeline]", ad::calibration::local_conformal, ad::calibration::prototype_conformal) {
  detector_of<TestType> model{{.seed = 3}};
  model.fit(ad::test::normal_rows(500, 3, 1));
  CHECK(*model.promised_rate() == 0.05);
  const auto query = ad::test::normal_rows(1000, 3, 2);
  const auto whole = model.score(query);
  double alarms = 0;
  for (const auto alarm : whole.is_anomaly) alarms += static_cast<double>(alarm) / 1000;
  CHECK(alarms == Approx(0.05).margin(0.03));
  for (ad::index i = 0; i < 1000; i += 97) {
    const auto at = static_cast<std::size_t>(i);
    const auto alone = model.score(query.view().slice(i, i + 1));
    CHECK(alone.p_value[0] == whole.p_value[at]);
    CHECK(alone.is_anomaly[0] == whole.is_anomaly[at]);
  }
  CHECK(model.score(ad::test::shifted(ad::test::normal_rows(1, 3, 4), 1, 40.0)).is_anomaly[0] == 1);

  ad::formats::buffer file;
  model.save(file);
  detector_of<TestType> read;
  read.open(ad::formats::parse_safetensors(std::move(file), "memory"));
  CHECK(read.score(query).p_value == whole.p_value);
  CHECK(read.score(query).is_anomaly == whole.is_anomaly);

  auto numbers = model.numbers().calibration;
  numbers.alpha = 0.1;
  model.calibrate(ad::test::normal_rows(300, 3, 9), numbers);
  CHECK(*model.promised_rate() == 0.1);
  CHECK_THROWS_WITH(detector_of<TestType>{}.fit(ad::test::normal_rows(15, 3, 1)), Catch::Contains("no rate below 1/"));
}

}  // namespace calibration_by_place_test
