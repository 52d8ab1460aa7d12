// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/anoddpm.hpp>
#include <anodiff/methods/ddpm_image.hpp>
#include <anodiff/methods/mddpm.hpp>
#include <anodiff/methods/pddpm.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include "support/textured.hpp"

using namespace anodiff;

namespace {

/// A small network, trained as long as a test may: enough to see a plain defect, and where it is.
template <class Detector>
typename Detector::options brief(anodiff::index steps = 300) {
  typename Detector::options out;
  out.training.steps = steps;
  out.training.batch = 8;
  out.model = {.width = 8, .levels = 2, .time_features = 8, .time_width = 16};
  out.picture.crop = 24;
  out.picture.margin = 8;
  return out;
}

template <class Detector>
void check_finds_a_square(const typename Detector::options& numbers) {
  Detector detector{numbers, cpu_engine{1}};
  detector.fit(test::textured(40, 32));
  const auto found = detector.score(test::with_square(test::textured(1, 32, 90)[0], 10, 14, 6));
  CHECK(found.is_anomaly);
  const auto peak = std::max_element(found.map.data(), found.map.data() + found.map.size()) - found.map.data();
  CHECK(std::abs(peak / 32 - 12) <= 4);
  CHECK(std::abs(peak % 32 - 16) <= 4);
  CHECK(detector.score(test::textured(1, 32, 91)[0]).score < found.score);

  Detector threaded{numbers, cpu_engine{3}};
  threaded.fit(test::textured(40, 32));
  CHECK(threaded.score(test::textured(1, 32, 91)[0]).map == detector.score(test::textured(1, 32, 91)[0]).map);

  formats::buffer file;
  detector.save(file);
  Detector loaded{{}, cpu_engine{1}};
  loaded.open(formats::parse_safetensors(std::move(file), "the model"));
  CHECK(loaded.score(test::textured(1, 32, 91)[0]).map == detector.score(test::textured(1, 32, 91)[0]).map);
}

}  // namespace

TEST_CASE("ddpm_image: the baseline's numbers, and a defect found", "[methods][pictures]") {
  using detector = methods::ddpm_image<cpu_engine>;
  const detector::options as_published;
  CHECK(as_published.schedule.steps == 1000);
  CHECK(as_published.start.kind == start_kind::noised);
  CHECK(as_published.start.depth == 0.25);
  CHECK(as_published.clip == 1);
  check_finds_a_square<detector>(brief<detector>());
}

TEST_CASE("anoddpm: the paper's numbers, and a defect found", "[methods][pictures]") {
  using detector = methods::anoddpm<cpu_engine>;
  const detector::options as_published;
  CHECK(as_published.schedule.steps == 1000);
  CHECK(as_published.schedule.beta_last == 0.02);
  CHECK(as_published.start.depth == 0.25);
  CHECK(as_published.corruption.octaves == 6);
  CHECK(as_published.corruption.decay == 0.8);
  CHECK(as_published.corruption.period == 64);
  check_finds_a_square<detector>(brief<detector>());
}

TEST_CASE("pddpm: the paper's numbers, and a defect found", "[methods][pictures]") {
  using detector = methods::pddpm<cpu_engine>;
  const detector::options as_published;
  CHECK(as_published.start.depth == 0.5);
  CHECK(2 * as_published.corruption.size == as_published.picture.crop);
  auto numbers = brief<detector>();
  numbers.corruption.size = 12;
  check_finds_a_square<detector>(numbers);
}

TEST_CASE("mddpm: the paper's numbers, and a defect found", "[methods][pictures]") {
  using detector = methods::mddpm<cpu_engine>;
  const detector::options as_published;
  CHECK(as_published.start.depth == 0.5);
  CHECK(as_published.corruption.most == 5);
  CHECK(as_published.corruption.smallest == 0.09);
  CHECK(as_published.corruption.largest == 0.18);
  check_finds_a_square<detector>(brief<detector>());
}
