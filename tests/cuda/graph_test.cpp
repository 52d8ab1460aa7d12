// SPDX-License-Identifier: Apache-2.0
#include <anodiff/grids/trailing.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pipeline/denoising_graphs.cuh>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/samplers/deis.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/samplers/dpm_solver_pp_sde.hpp>
#include <anodiff/samplers/euler_ancestral.hpp>
#include <anodiff/samplers/heun.hpp>
#include <anodiff/samplers/pndm.hpp>
#include <anodiff/samplers/unipc.hpp>
#include <anodiff/schedules/cosine.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"
#include "../support/plain_product.hpp"

namespace cuda_test::graph_test {

namespace {

using on_device = models::mlp<cuda_engine>;
using on_host = models::mlp<test::plain_engine>;
using graphs = denoising_graphs<on_device, predictions::velocity>;
constexpr index d = 7;

template <class Model>
Model make_network(Model made) {
  made.build({{d}, 17});
  return made;
}
on_device device_network() {
  return make_network(on_device{{.width = 24, .layers = 2, .time_features = 8}, test::network_engine()});
}
on_host host_network() { return make_network(on_host{{.width = 24, .layers = 2, .time_features = 8}}); }

template <class Sampler>
std::vector<stage> make_program(index steps, const Sampler& sampling = Sampler{}) {
  const schedules::cosine schedule{};
  const auto all = schedule.levels();
  auto levels = grids::trailing{}.pick(std::span{all}.first(all.size() / 2), steps);
  levels.push_back(ends_with_noise(sampling) ? all.front() : clean_level);
  return sampling.program(levels);
}

template <class Model>
denoising_loop<Model, predictions::velocity> loop_of(const Model& net, const std::vector<stage>& program, index rows,
                                                     double limit) {
  return {net, predictions::velocity{}, program, rows, d, {.limit = limit}};
}

}  // namespace

TEMPLATE_TEST_CASE("every sampler runs on the device, and its graph gives the same bits", "[cuda][graph]",
                   samplers::ddim, samplers::ddpm, samplers::deis, samplers::dpm_solver_pp, samplers::dpm_solver_pp_sde,
                   samplers::euler_ancestral, samplers::heun, samplers::pndm, samplers::unipc) {
  if (!device_ready() || few_threads) return;
  const index rows = 5;
  const auto program = make_program<TestType>(6);
  const auto net = device_network();
  const auto& engine = net.engine();
  const auto x = elements<float>(inputs<float>(rows * d, 3));
  const noise_key key{.seed = 12, .draw = 3}, other{.seed = 13, .draw = 4};
  for (const double limit : {0.0, 1.0}) {
    auto eager = loop_of(net, program, rows, limit);
    const auto run_eager = [&](const noise_key& k) {
      const auto on = engine.upload(x);
      eager.run(on.data(), rows, k, [](std::size_t) {});
      std::vector<float> out(x.size());
      engine.download(on.data(), std::span{out});
      return out;
    };
    graphs recorded{net, predictions::velocity{}, d, {.limit = limit}};
    const auto run_recorded = [&](const noise_key& k) {
      const auto on = engine.upload(x);
      recorded.run(on.data(), rows, program, k);
      std::vector<float> out(x.size());
      engine.download(on.data(), std::span{out});
      return out;
    };
    const auto first = run_eager(key), second = run_eager(other);
    CHECK(same_bits(run_recorded(key), first));
    CHECK(recorded.recorded() == 0);
    const auto replayed = in_every_order([&] { return run_recorded(other); });
    CHECK(recorded.recorded() == 1);
    CHECK(same_bits(replayed, second));
    CHECK(same_bits(run_recorded(key), first));

    auto want = x;
    const auto host = host_network();
    loop_of(host, program, rows, limit).run(want.data(), rows, key, [](std::size_t) {});
    CHECK(worst(first, as<double>(want)) <= 2e-4);
  }
}

TEST_CASE("a loop on the device clips where its rows say, and so does its graph", "[cuda][graph]") {
  if (!device_ready() || few_threads) return;
  const index rows = 5;
  const auto program = make_program<samplers::dpm_solver_pp>(6);
  const auto on_gpu = device_network();
  const auto host = host_network();
  const clipping clip{.limit = 0.5, .share = 0.7};
  const auto x = elements<float>(inputs<float>(rows * d, 3));
  auto want = x, got = x;
  denoising_loop<on_host, predictions::velocity>{host, predictions::velocity{}, program, rows, d, clip}.run(
      want.data(), rows, {}, [](std::size_t) {});
  const auto on = on_gpu.engine().upload(x);
  denoising_loop<on_device, predictions::velocity>{on_gpu, predictions::velocity{}, program, rows, d, clip}.run(
      on.data(), rows, {}, [](std::size_t) {});
  on_gpu.engine().download(on.data(), std::span{got});
  CHECK(worst(got, as<double>(want)) <= 2e-4);

  graphs recorded{on_gpu, predictions::velocity{}, d, clip};
  const auto replayed = in_every_order([&] {
    auto out = x;
    const auto there = on_gpu.engine().upload(x);
    recorded.run(there.data(), rows, program, {});
    on_gpu.engine().download(there.data(), std::span{out});
    return out;
  });
  CHECK(recorded.recorded() == 1);
  CHECK(same_bits(replayed, got));
  CHECK_THROWS_AS((graphs{on_gpu, predictions::velocity{}, d, {.limit = 1, .share = 2}}), invalid_argument);
}

TEST_CASE("a graph for each program and number of rows, those used last", "[cuda][graph]") {
  if (!device_ready() || few_threads) return;
  const auto net = device_network();
  graphs recorded{net, predictions::velocity{}, d, {}, 2};
  auto x = net.engine().upload(std::vector<float>(4 * d, 0.5F));
  const auto four = make_program<samplers::ddim>(4), three = make_program<samplers::ddim>(3),
             heun = make_program<samplers::heun>(3);
  const auto twice = [&](const std::vector<stage>& program, index rows) {
    recorded.run(x.data(), rows, program, {});
    recorded.run(x.data(), rows, program, {});
  };
  twice(four, 4);
  CHECK(recorded.recorded() == 1);
  twice(four, 3);
  CHECK(recorded.recorded() == 2);
  recorded.run(x.data(), 4, four, {});
  twice(heun, 4);  // in the place of (four, 3)
  CHECK(recorded.recorded() == 2);
  recorded.run(x.data(), 4, four, {});
  CHECK(recorded.recorded() == 2);
  recorded.run(x.data(), 4, three, {});
  CHECK(recorded.recorded() == 1);
  CHECK_THROWS_WITH((graphs{net, predictions::velocity{}, d, clipping{}, 0}),
                    Catch::Contains("at least one graph, got 0"));
}

TEST_CASE("a recorded stream neither runs, waits nor allocates", "[cuda][graph]") {
  if (!device_ready()) return;
  const cuda_engine engine;
  auto x = engine.upload(std::vector<float>{1, 2, 3});
  device::graph doubled{engine.stream(), [&] { engine.run(ops::add<float>{x.data(), x.data(), x.data(), 3}); }};
  std::vector<float> got(3);
  engine.download(x.data(), std::span{got});
  CHECK(got == std::vector<float>{1, 2, 3});
  CHECK(doubled.size() == 1);
  const device::graph moved = std::move(doubled);
  moved.replay(engine.stream());
  moved.replay(engine.stream());
  engine.download(x.data(), std::span{got});
  CHECK(got == std::vector<float>{4, 8, 12});
  CHECK_THROWS((device::graph{engine.stream(), [&] { engine.wait(); }}));
  engine.run(ops::fill<float>{x.data(), 3, 5});  // the stream works on
  engine.download(x.data(), std::span{got});
  CHECK(got == std::vector<float>(3, 5));
}

}  // namespace cuda_test::graph_test
