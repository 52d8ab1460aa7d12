// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/time_mlp.hpp>
#include <anodiff/objectives/inverse_gamma.hpp>
#include <anodiff/objectives/time_bins.hpp>
#include <anodiff/objectives/time_regression.hpp>
#include <anodiff/scorers/diffusion_time.hpp>
#include "laws/scorer_laws.hpp"

namespace diffusion_time_test {

using namespace anodiff;

namespace {

template <class Objective>
using scene_type = laws::scorer_scene<models::time_mlp<cpu_engine>, scorers::diffusion_time<Objective>>;

/// A network of random parameters.
template <class Objective>
scene_type<Objective> scene(laws::index outputs, laws::index d, int threads = 1) {
  models::time_mlp<cpu_engine> model{{.width = 24, .outputs = outputs}, cpu_engine{threads}};
  model.build({{d}, 11});
  return {model, scorers::diffusion_time<Objective>{}, d};
}

}  // namespace

TEST_CASE("diffusion_time keeps the laws of a scorer", "[scorers][laws]") {
  laws::check_scorer([](int threads) { return scene<objectives::time_bins>(7, 4, threads); },
                     laws::seeded_rows(1, 300, 4));
  laws::check_scorer([](int threads) { return scene<objectives::inverse_gamma>(1, 4, threads); },
                     laws::seeded_rows(1, 29, 4));
  laws::check_scorer([](int threads) { return scene<objectives::time_regression>(1, 1, threads); },
                     laws::seeded_rows(1, 29, 1));
}

TEST_CASE("diffusion_time: what the network says, spread by input times gradient", "[scorers]") {
  const auto s = scene<objectives::time_bins>(7, 3);
  const auto x = laws::seeded_rows(3, 20, 3);
  const auto found = s.evidence(x);
  auto run = s.model.prepare(std::vector<noise_level>{clean_level}, 20);
  const std::vector<std::int32_t> level(20);
  std::vector<float> unused(7);
  const auto score = [&](const float* row) {
    const float* out = run.output(row, level.data(), 1);
    return objectives::time_bins{}.read({out, 7}, unused);
  };
  for (laws::index i = 0; i < 20; ++i) {
    const double whole = score(x.row(i).data());
    double part[3], total = 0;
    for (laws::index j = 0; j < 3; ++j) {
      std::vector<float> moved(x.row(i).begin(), x.row(i).end());
      const auto at = static_cast<std::size_t>(j);
      const float step = 1.0F / 1024;
      moved[at] += step;
      const double above = score(moved.data());
      moved[at] -= 2 * step;
      part[j] = std::abs(static_cast<double>(x(i, j)) * (above - score(moved.data())) * 512);
      total += part[j];
    }
    double sum = 0;
    for (laws::index j = 0; j < 3; ++j) {
      const auto got = static_cast<double>(found.flat()[static_cast<std::size_t>(3 * i + j)]);
      CHECK(got == Approx(3 * whole * part[j] / total).margin(0.05 * whole));
      sum += got;
    }
    CHECK(sum / 3 == Approx(whole));
  }
}

TEST_CASE("diffusion_time: a row without a single value gives each column the score", "[scorers]") {
  const auto s = scene<objectives::time_bins>(7, 2);
  const auto found = s.evidence(tensor<float, 2>{{1, 2}});
  CHECK(found.flat()[0] == found.flat()[1]);
  CHECK(found.flat()[0] > 0);
  CHECK(s.scorer.network_calls(s.context()) == 1);
}

}  // namespace diffusion_time_test
