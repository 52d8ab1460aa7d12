// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/models/empirical.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/resnet_mlp.hpp>
#include <anodiff/models/two_views.hpp>
#include <anodiff/scorers/excess.hpp>
#include "laws/denoiser_laws.hpp"
#include "support/allocation_guard.hpp"

using namespace anodiff;

namespace {

template <class Architecture>
long allocations_of_a_run(int threads, const laws::extents& sample = 32, laws::index rows_in_all = 300) {
  const auto model = laws::built<Architecture, cpu_engine>({}, sample, 1, threads);
  const laws::query<float> q{rows_in_all, sample.size(), 5};
  auto run = model.prepare(q.levels, q.n);
  const support::allocation_guard guard;
  for (const laws::index rows : {q.n, laws::index{1}, laws::index{17}})
    (void)run.output(q.x.data(), q.level.data(), rows);
  return guard.count();
}

}  // namespace

#ifndef SUPPORT_THREAD_SANITIZER
TEST_CASE("the guard sees allocations", "[models][allocations]") {
  const support::allocation_guard guard;
  const auto made = std::make_unique<std::vector<double>>(100);
  const cpu_engine engine{1};
  CHECK(guard.count() >= 2);
  const auto before = guard.count();
  (void)engine.allocate(100);  // aligned storage counts too
  CHECK(guard.count() > before);
}
#endif

TEST_CASE("a planned run allocates nothing", "[models][allocations]") {
  for (const int threads : {1, 3}) {
    INFO(threads << " threads");
    CHECK(allocations_of_a_run<models::mlp_architecture>(threads) == 0);
    CHECK(allocations_of_a_run<models::resnet_mlp_architecture>(threads) == 0);
    CHECK(allocations_of_a_run<models::conv_unet_architecture>(threads, {16, 24, 1}, 20) == 0);
  }
}

TEST_CASE("neighbours are found without allocating", "[models][allocations]") {
  for (const int threads : {1, 3}) {
    models::knn<cpu_engine> model{{}, cpu_engine{threads}};
    tensor<float, 2> x{{500, 8}};
    for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(1, i, -1, 1));
    model.remember(x, 0);
    std::vector<double> distance(200 * 10);
    std::vector<laws::index> place(200 * 10);
    const support::allocation_guard guard;
    model.neighbours(x.view().slice(0, 200), 10, {}, distance.data(), place.data());
    CHECK(guard.count() == 0);
  }
}

TEST_CASE("rows are scored under both views without allocating, however many columns", "[models][allocations]") {
  for (const laws::index d : {8, 600}) {
    models::two_views<cpu_engine> model{{}, cpu_engine{2}};
    tensor<float, 2> x{{120, d}};
    for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(1, i, -1, 1));
    model.remember(x, 0);
    scorers::excess::run<models::two_views<cpu_engine>> run{model, 120, 2};
    tensor<float, 3> evidence{{1, 120, d}};
    const support::allocation_guard guard;
    run.evidence(x, evidence);
    CHECK(guard.count() == 0);
  }
}

TEST_CASE("the empirical denoiser allocates nothing, however many columns", "[models][allocations]") {
  for (const laws::index d : {8, 600}) {
    models::empirical<cpu_engine> model{{}, cpu_engine{2}};
    tensor<float, 2> x{{60, d}};
    for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(1, i, -1, 1));
    model.remember(x, 0);
    const std::vector<noise_level> levels{{0.8, 0.6, 1}};
    const std::vector<std::int32_t> level(60);
    auto run = model.prepare(levels, 60);
    const support::allocation_guard guard;
    (void)run.output(x.data(), level.data(), 60);
    CHECK(guard.count() == 0);
  }
}
