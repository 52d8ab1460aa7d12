// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/transfer.hpp>
#include <anodiff/pipeline/denoising_graphs.cuh>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/schedules/cosine.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"
#include "../support/plain_product.hpp"

namespace cuda_test::engine_test {

TEST_CASE("the engine owns its memory and runs operations in order", "[cuda][engine]") {
  if (!device_ready()) return;
  const cuda_engine engine;
  const std::vector<float> x{1, -2, 3, -4, 5};
  const auto on_device = engine.upload(x);
  auto y = engine.allocate(5);
  engine.run(ops::activate_forward<float>{on_device.data(), y.data(), 5, ops::activation::relu});
  engine.run(ops::add<float>{y.data(), on_device.data(), y.data(), 5});
  std::vector<float> got(5);
  engine.download(y.data(), std::span{got});
  CHECK(got == std::vector<float>{2, -2, 6, -4, 10});

  auto moved = std::move(y);
  CHECK(y.data() == nullptr);
  CHECK(moved.size() == 5);
  y = std::move(moved);
  CHECK(y.size() == 5);
  CHECK(engine.allocate(0).data() == nullptr);
  const cuda_engine copy = engine;
  copy.run(ops::fill<float>{y.data(), 5, 1});
  copy.wait();
  engine.download(y.data(), std::span{got});
  CHECK(got == std::vector<float>(5, 1));
}

TEST_CASE("an event marks a point of a stream", "[cuda][engine]") {
  if (!device_ready()) return;
  const cuda_engine engine;
  device::event start, stop;
  start.record(engine.stream());
  stop.record(engine.stream());
  start.let_wait(engine.stream());
  CHECK(stop.since(start) >= 0);
}

TEST_CASE("values come and go through pinned memory without a wait on the way", "[cuda][engine]") {
  if (!device_ready()) return;
  const cuda_engine first, second;
  const pinned_buffer<float> in{3};
  pinned_buffer<float> out{3};
  for (index i = 0; i < 3; ++i) in.data()[i] = static_cast<float>(i);
  auto a = first.allocate(3), b = first.allocate(3);
  first.send(in.data(), a.data(), 3);
  first.run(ops::add<float>{a.data(), a.data(), a.data(), 3});
  second.follow(first);
  second.send(a.data(), b.data(), 3);
  second.run(ops::add<float>{b.data(), a.data(), b.data(), 3});
  second.send(b.data(), out.data(), 3);
  second.wait();
  CHECK(std::vector<float>(out.values().begin(), out.values().end()) == std::vector<float>{0, 4, 8});
  const auto moved = std::move(out);
  CHECK(moved.size() == 3);
  CHECK(out.data() == nullptr);
}

TEST_CASE("a network moves between engines, and two of them work in one program", "[cuda][engine]") {
  if (!device_ready() || few_threads) return;
  const index rows = 4, d = 3;
  using on_host = models::mlp<test::plain_engine>;
  using on_device = models::mlp<cuda_engine>;
  const models::mlp_params numbers{.width = 8, .layers = 1, .time_features = 4};
  on_host trained{numbers}, other{numbers};
  trained.build({{d}, 3});
  other.build({{d}, 4});
  on_device one{numbers, test::network_engine()}, two{numbers, test::network_engine()};
  models::transfer(trained, one);
  models::transfer(other, two);
  on_host back{numbers};
  models::transfer(one, back);
  CHECK(same_bits(std::vector<float>(back.store().values().begin(), back.store().values().end()),
                  std::vector<float>(trained.store().values().begin(), trained.store().values().end())));
  on_device narrow{{.width = 7, .layers = 1, .time_features = 4}, test::network_engine()};
  CHECK_THROWS_WITH(models::transfer(trained, narrow), Catch::Contains("needs shape"));

  const auto all = schedules::cosine{}.levels();
  const std::vector<noise_level> levels_of{all[500], all[250], clean_level};
  const auto program = samplers::ddim{}.program(levels_of);
  denoising_graphs first{one, predictions::epsilon{}, d}, second{two, predictions::epsilon{}, d};
  const auto x = elements<float>(inputs<float>(rows * d, 1));
  const auto alone = [&](auto& graphs, const cuda_engine& engine) {
    const auto on = engine.upload(x);
    graphs.run(on.data(), rows, program, {.seed = 2});
    std::vector<float> out(x.size());
    engine.download(on.data(), std::span{out});
    return out;
  };
  const auto want_first = alone(first, one.engine()), want_second = alone(second, two.engine());
  CHECK_FALSE(same_bits(want_first, want_second));
  for (int repeat = 0; repeat < 2; ++repeat) {  // interleaved, recorded and replayed
    const auto a = one.engine().upload(x), b = two.engine().upload(x);
    first.run(a.data(), rows, program, {.seed = 2});
    second.run(b.data(), rows, program, {.seed = 2});
    std::vector<float> got_first(x.size()), got_second(x.size());
    one.engine().download(a.data(), std::span{got_first});
    two.engine().download(b.data(), std::span{got_second});
    CHECK(same_bits(got_first, want_first));
    CHECK(same_bits(got_second, want_second));
  }
}

TEST_CASE("without somebody who multiplies a dense layer is refused", "[cuda][engine]") {
  if (!device_ready()) return;
  const cuda_engine engine;
  ops::linear_forward<float> op{};
  op.rows = op.in = op.out = 1;
  CHECK_THROWS_WITH(engine.run(op), Catch::Contains("cuda_engine_with_cublas()"));
}

}  // namespace cuda_test::engine_test
