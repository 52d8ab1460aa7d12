// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cuda.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test {

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

}  // namespace cuda_test
