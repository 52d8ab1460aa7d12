// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/ddpm_image.hpp>
#include <anodiff/pipeline/identity_shortcut.hpp>
#include <catch2/catch.hpp>
#include "support/textured.hpp"

namespace identity_shortcut_test {

using namespace anodiff;

namespace {

template <class Detector>
Detector trained() {
  typename Detector::options numbers;
  numbers.training.steps = 400;
  numbers.training.batch = 8;
  numbers.model = {.width = 8, .levels = 2, .time_features = 8, .time_width = 16};
  numbers.picture.crop = 32;
  numbers.picture.margin = 8;
  Detector made{numbers, cpu_engine{1}};
  made.fit(test::textured(40, 48));
  return made;
}

}  // namespace

TEST_CASE("identity_shortcut: little noise keeps a defect, much noise removes it", "[pictures]") {
  const auto detector = trained<methods::ddpm_image<cpu_engine>>();
  const auto pictures = test::textured(6, 48, 100);
  const identity_shortcut_params how{.levels = 20, .pictures = 4, .defects = 3};
  const auto report = identity_shortcut(detector, pictures_in_memory{pictures}, how);
  REQUIRE(report.rows.size() == 20);
  for (std::size_t k = 0; k < 20; ++k) {
    const auto& row = report.rows[k];
    INFO(row.depth << ' ' << row.copied << ' ' << row.from_planted << ' ' << row.from_clean << ' ' << row.elsewhere);
    CHECK(row.depth == Approx(0.05 * static_cast<double>(k + 1)));
    CHECK(row.level.sigma > (k == 0 ? 0 : report.rows[k - 1].level.sigma));
    CHECK(std::isfinite(row.contrast()));
  }
  INFO(report.rows.front().from_planted << ' ' << report.rows[1].copied << ' ' << report.rows.back().from_planted);
  INFO(report.rows.front().copied << " to " << report.rows.back().copied);
  CHECK(report.rows.front().copied > 1.2 * report.rows.back().copied);
  CHECK(report.rows.front().from_planted < 0.7 * report.rows.back().from_planted);
  CHECK(std::ranges::any_of(report.rows, [&](const auto& row) {
    return row.depth == report.recommended_depth &&
           std::ranges::all_of(report.rows, [&](const auto& other) { return other.contrast() <= row.contrast(); });
  }));
  const auto again = identity_shortcut(detector, pictures_in_memory{pictures}, how);
  CHECK(again.rows[2].copied == report.rows[2].copied);
}

TEST_CASE("identity_shortcut: what cannot be", "[pictures]") {
  using detector = methods::ddpm_image<cpu_engine>;
  const auto pictures = test::textured(2, 48, 100);
  CHECK_THROWS_WITH(identity_shortcut(detector{{}, cpu_engine{1}}, pictures_in_memory{pictures}),
                    "identity_shortcut: the detector has learned nothing yet; call fit or load first");
}

}  // namespace identity_shortcut_test
