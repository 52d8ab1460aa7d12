// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/knn.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/resnet_mlp.hpp>
#include "laws/denoiser_laws.hpp"
#include "support/allocation_guard.hpp"

using namespace anodiff;

namespace {

template <class Architecture>
long allocations_of_a_run(int threads) {
  const auto model = laws::built<Architecture, cpu_engine>({}, 32, 1, threads);
  const laws::query<float> q{300, 32, 5};
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
