// SPDX-License-Identifier: Apache-2.0
// Times the kernels on a GPU and prints one JSON object: for each, the median of its times in ms and what it moved in
// GB/s, or did in TFLOP/s. Run by tests/gpu.sh.

#include <algorithm>
#include <anodiff/engines/cuda.cuh>
#include <cstdio>

namespace {

using namespace anodiff;
using anodiff::index;
using device::bfloat16;

struct result {
  std::string name;
  double ms, amount;  ///< bytes or operations
  const char* unit;
};

class stopwatch {
 public:
  template <class F>
  void time(std::string name, double amount, const char* unit, F&& f) {
    constexpr int warm = 3, runs = 15;
    std::vector<double> ms;
    for (int i = 0; i < warm + runs; ++i) {
      device::event start, stop;
      start.record(engine.stream());
      f();
      stop.record(engine.stream());
      const double took = static_cast<double>(stop.since(start));
      if (i >= warm) ms.push_back(took);
    }
    std::sort(ms.begin(), ms.end());
    results.push_back({std::move(name), ms[ms.size() / 2], amount, unit});
  }
  cuda_engine engine;
  std::vector<result> results;
};

int run() {
  stopwatch w;
  auto& engine = w.engine;
  constexpr index rows = 16, size = 3 << 20, n = rows * size;  // sixteen pictures of 1024 by 1024
  auto x = engine.allocate(n), f = engine.allocate(n), y = engine.allocate(n);
  for (auto* b : {&x, &f, &y}) engine.run(ops::fill_normal<float>{b->data(), rows, size, {{.seed = 1}}});
  const double bytes = 4.0 * static_cast<double>(n);
  w.time("fill_normal float", bytes, "GB/s", [&] {
    engine.run(ops::fill_normal<float>{y.data(), rows, size, {{.seed = 2}}});
  });
  ops::combine<float> op{.x = x.data(), .output = f.data(), .next = y.data(), .rows = rows, .row_size = size};
  op.fold = {1, -0.5F, 1};
  op.wx = 0.5F, op.wc = 0.5F;
  w.time("combine float", 3 * bytes, "GB/s", [&] { engine.run(op); });
  op.wz = 0.1F;
  w.time("combine float with noise", 3 * bytes, "GB/s", [&] { engine.run(op); });
  ops::cuda::mixed_combine<float, bfloat16> mixed{.x = x.data(),
                                                  .output = reinterpret_cast<const bfloat16*>(f.data()),
                                                  .next = y.data(),
                                                  .rows = rows,
                                                  .row_size = size};
  mixed.fold = op.fold, mixed.wx = op.wx, mixed.wc = op.wc, mixed.wz = op.wz;
  w.time("combine float, output bfloat16, with noise", 2.5 * bytes, "GB/s", [&] { engine.run(mixed); });
  w.time("silu float", 2 * bytes, "GB/s", [&] {
    engine.run(ops::activate_forward<float>{x.data(), y.data(), n, ops::activation::silu});
  });
  w.time("layer_norm 1024 float", 2 * bytes, "GB/s", [&] {
    engine.run(
        ops::layer_norm_forward<float>{x.data(), f.data(), f.data(), y.data(), nullptr, nullptr, n / 1024, 1024});
  });
  ops::group_norm_forward<float> group{};
  group.x = x.data(), group.gain = group.bias = f.data(), group.y = y.data();
  group.n = 64, group.pixels = 64 * 64, group.channels = 128, group.groups = 32, group.kind = ops::activation::silu;
  w.time("group_norm silu 64x64x128 float", 2 * 4.0 * 64 * 64 * 64 * 128, "GB/s", [&] { engine.run(group); });
  ops::attention_forward<bfloat16> attention{};
  attention.q = attention.k = attention.v = reinterpret_cast<const bfloat16*>(x.data());
  attention.y = reinterpret_cast<bfloat16*>(y.data());
  attention.n = 16, attention.queries = attention.keys = 1024, attention.heads = 4, attention.width = 64;
  w.time("attention 1024 keys, 64 wide, bfloat16", 4.0 * 16 * 4 * 1024 * 1024 * 64, "TFLOP/s",
         [&] { engine.run(attention); });

  // mlp4x256: 32 columns, 256 wide, four hidden layers, fifty steps
  const index tiles = (ops::cuda::packed_mlp_bytes(32, 256) + 3 * ops::cuda::packed_mlp_bytes(256, 256) +
                       ops::cuda::packed_mlp_bytes(256, 32)) /
                      4;
  auto weights = engine.allocate<std::uint32_t>(tiles);
  engine.run(ops::fill<float>{reinterpret_cast<float*>(weights.data()), tiles, 0});
  auto steps = engine.upload(std::vector<ops::cuda::mlp_step>(50, {.wx = 0.5F, .wc = 0.5F, .wz = 0.1F}));
  for (const index batch : {1, 64, 8192, 65536}) {
    const ops::cuda::mlp_loop loop{.x = x.data(),
                                   .y = y.data(),
                                   .weights = weights.data(),
                                   .bias = f.data(),
                                   .table = f.data(),
                                   .steps = steps.data(),
                                   .rows = batch,
                                   .row_size = 32,
                                   .width = 256,
                                   .layers = 4,
                                   .levels = 1,
                                   .count = 50};
    w.time(concat("mlp4x256, 50 steps, ", batch, " rows"),
           2.0 * 50 * static_cast<double>(batch) * (2 * 32 * 256 + 3 * 256 * 256), "TFLOP/s",
           [&] { engine.run(loop); });
    if (batch <= 64 && ops::cuda::runs_in_clusters(loop))
      w.time(concat("mlp4x256, 50 steps, ", batch, " rows, in clusters"),
             2.0 * 50 * static_cast<double>(batch) * (2 * 32 * 256 + 3 * 256 * 256), "TFLOP/s",
             [&] { engine.run(ops::cuda::mlp_cluster{loop}); });
  }

  std::printf("{");
  const char* comma = "";
  for (const auto& r : w.results) {
    const double rate = r.amount / (r.ms * 1e-3) * (r.unit[0] == 'G' ? 1e-9 : 1e-12);
    std::printf("%s\n    \"%s\": {\"ms\": %.5f, \"%s\": %.2f}", comma, r.name.c_str(), r.ms, r.unit, rate);
    comma = ",";
  }
  std::printf("\n  }\n");
  return 0;
}

}  // namespace

int main() try { return run(); } catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
