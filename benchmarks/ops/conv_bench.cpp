// SPDX-License-Identifier: Apache-2.0
// Convolutions of two U-Nets: the small one for tiles (16, 32, 48 channels) and one for pictures of 32 by 32. Counters:
// GFLOP/s of useful work, and its share of the multiply-adds that the threads could do.
#include <benchmark/benchmark.h>
#include <anodiff/engines/cpu.hpp>
#include "ops/peak.hpp"

namespace {

using anodiff::index;
using anodiff::ops::conv2d_shape;

struct layer {
  const char* name;
  index n;
  conv2d_shape shape;
};

const layer layers[] = {
    {"tile_full_1_16", 16, {.height = 64, .width = 64, .in = 1, .out = 16}},
    {"tile_full_16_16", 16, {.height = 64, .width = 64, .in = 16, .out = 16}},
    {"tile_full_48_16", 16, {.height = 64, .width = 64, .in = 48, .out = 16}},
    {"tile_half_32_32", 16, {.height = 32, .width = 32, .in = 32, .out = 32}},
    {"tile_quarter_48_48", 16, {.height = 16, .width = 16, .in = 48, .out = 48}},
    {"one_32x32_128", 1, {.height = 32, .width = 32, .in = 128, .out = 128}},
    {"one_16x16_256", 1, {.height = 16, .width = 16, .in = 256, .out = 256}},
    {"one_8x8_512_256", 1, {.height = 8, .width = 8, .in = 512, .out = 256}},
    {"one_4x4_256", 1, {.height = 4, .width = 4, .in = 256, .out = 256}},
    {"eight_32x32_128", 8, {.height = 32, .width = 32, .in = 128, .out = 128}},
    {"one_halved_32_128", 1, {.height = 32, .width = 32, .in = 128, .out = 128, .stride = 2}},
    {"one_dense_32x32_256",
     1,
     {.height = 32, .width = 32, .in = 256, .out = 128, .kernel = 1, .before = 0, .after = 0}},
};

double work_of(const layer& l) {
  return 2.0 * static_cast<double>(l.n * l.shape.out_pixels() * l.shape.depth() * l.shape.out);
}
void count(benchmark::State& state, double work, int threads) {
  const double done = work * 1e-9 * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  state.counters["of_peak"] = benchmark::Counter(done / bench::peak(threads), benchmark::Counter::kIsRate);
}

struct data {
  std::vector<float> x, weight, bias, y, dx, dweight, dbias;
  explicit data(const layer& l)
      : x(filled(l.n * l.shape.height * l.shape.width * l.shape.in)),
        weight(filled(l.shape.depth() * l.shape.out)),
        bias(filled(l.shape.out)),
        y(filled(l.n * l.shape.out_pixels() * l.shape.out)),
        dx(x.size()),
        dweight(weight.size()),
        dbias(bias.size()) {}
  static std::vector<float> filled(index size) {
    std::vector<float> v(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5F;
    return v;
  }
};

void forward(benchmark::State& state, const layer& l, int threads) {
  const anodiff::cpu_engine engine{threads};
  data d{l};
  const auto weight = engine.prepare_convolution(l.shape, d.weight.data());
  anodiff::ops::conv2d_forward<float, const anodiff::cpu_engine::weight*> op{};
  op.x = d.x.data();
  op.weight = &weight;
  op.bias = d.bias.data();
  op.y = d.y.data();
  op.n = l.n;
  op.shape = l.shape;
  auto memory = engine.allocate(engine.scratch(op));
  op.scratch = memory.data();
  for (auto _ : state) engine.run(op);
  count(state, work_of(l), threads);
}

void backward(benchmark::State& state, const layer& l, int threads) {
  const anodiff::cpu_engine engine{threads};
  data d{l};
  anodiff::ops::conv2d_backward<float> op{};
  op.x = d.x.data();
  op.weight = d.weight.data();
  op.dy = d.y.data();
  op.dx = d.dx.data();
  op.dweight = d.dweight.data();
  op.dbias = d.dbias.data();
  op.n = l.n;
  op.shape = l.shape;
  auto memory = engine.allocate(engine.scratch(op));
  op.scratch = memory.data();
  for (auto _ : state) {
    engine.run(op);
    std::fill(d.dweight.begin(), d.dweight.end(), 0.F);
  }
  count(state, 2 * work_of(l), threads);
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const char* what, auto* run, const layer& l, int threads) {
    const auto name = anodiff::concat("conv2d/", what, "/", l.name, "/threads:", threads);
    auto* made = benchmark::RegisterBenchmark(name.c_str(), run, l, threads);
    if (threads > 1) made->UseRealTime();  // one thread is timed by the processor's clock: others may share the machine
  };
  for (const auto& l : layers)
    for (const int threads : {1, 2}) {
      add("forward", forward, l, threads);
      add("backward", backward, l, threads);
    }
  return true;
}();

}  // namespace
