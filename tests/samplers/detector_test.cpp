// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/grids/karras.hpp>
#include <anodiff/grids/log_snr.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/empirical.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/samplers/dpm_solver.hpp>
#include <anodiff/samplers/heun.hpp>
#include <anodiff/samplers/unipc.hpp>
#include <anodiff/schedules/exploding.hpp>
#include <anodiff/schedules/flow_matching.hpp>
#include <anodiff/schedules/given.hpp>
#include <anodiff/schedules/zero_snr.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "support/small_rows.hpp"

namespace detector_test {

// Detectors of schedules, grids and samplers that no method has yet.

namespace ad = anodiff;
using ad::test::normal_rows;

namespace {

/// Fits on normal rows and tells those that lie far away from others like them.
template <class Detector>
void check_detects(typename Detector::options numbers) {
  numbers.steps = 6;
  numbers.seed = 5;
  Detector detector{numbers, ad::cpu_engine{1}};
  detector.fit(normal_rows(200, 4, 1));
  const auto usual = detector.score(normal_rows(20, 4, 2));
  auto far = normal_rows(20, 4, 3);
  for (auto& v : far.flat()) v += 60;
  const auto odd = detector.score(far);
  CHECK(*std::ranges::min_element(odd.score) > *std::ranges::max_element(usual.score));
}

template <class... Policies>
using rebuilt =
    ad::detector<ad::models::empirical<ad::cpu_engine>, ad::scorers::reconstruction<ad::distances::l2>, Policies...>;

}  // namespace

TEST_CASE("a detector with the noise form ends at the cleanest level", "[samplers][detector]") {
  check_detects<rebuilt<ad::samplers::dpm_solver, ad::grids::log_snr>>({});
  check_detects<rebuilt<ad::samplers::dpm_solver, ad::grids::log_snr>>({.start = ad::start::noised(1.0)});
}
TEST_CASE("a detector on exploding noise with the sampler of EDM", "[samplers][detector]") {
  check_detects<rebuilt<ad::schedules::exploding, ad::samplers::heun, ad::grids::karras, ad::predictions::clean>>({});
}
TEST_CASE("a detector on straight paths and from pure noise", "[samplers][detector]") {
  check_detects<rebuilt<ad::schedules::flow_matching, ad::samplers::unipc, ad::predictions::clean>>({});
  check_detects<rebuilt<ad::schedules::zero_snr<ad::schedules::linear>, ad::samplers::unipc, ad::predictions::clean>>(
      {});
}
TEST_CASE("a detector keeps the betas it was given", "[samplers][detector]") {
  using made = rebuilt<ad::schedules::given>;
  made::options numbers{.steps = 3, .seed = 5};
  numbers.schedule.betas = {0.1, 0.2, 0.15, 0.3};
  made fitted{numbers, ad::cpu_engine{1}};
  fitted.fit(normal_rows(60, 4, 1));
  const auto path = (std::filesystem::temp_directory_path() / "anodiff_given_betas.anodiff").string();
  fitted.save(path);
  made loaded{{}, ad::cpu_engine{1}};
  loaded.open(path);
  std::filesystem::remove(path);
  const auto rows = normal_rows(10, 4, 2);
  CHECK(loaded.score(rows).score == fitted.score(rows).score);
}

}  // namespace detector_test
