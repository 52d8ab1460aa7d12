// SPDX-License-Identifier: Apache-2.0
// The benchmark network of benchmarks/README.md on the CPU engine: medians as JSON lines, to be run beside the peers by
// peers/run_peers.py --ours PATH. Arguments: --json --threads N.
#include <algorithm>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/grids/leading.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/pipeline/trainer.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/schedules/linear.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ad = anodiff;

namespace {

constexpr ad::index d = 32;
int threads = 1;

/// Median, and the quartiles' distance, of at least `least` calls and 0.3 seconds.
template <class F>
void measure(const char* name, double flops, F&& call, std::size_t least = 15) {
  using clock = std::chrono::steady_clock;
  call();
  std::vector<double> seconds;
  const auto begin = clock::now();
  while (seconds.size() < least || clock::now() - begin < std::chrono::milliseconds(300)) {
    const auto start = clock::now();
    call();
    seconds.push_back(std::chrono::duration<double>(clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf(
      "{\"name\": \"%s\", \"threads\": %d, \"median_us\": %.3f, \"iqr_us\": %.3f, \"n\": %zu, \"gflops\": %.2f}\n",
      name, threads, 1e6 * median, 1e6 * (seconds[3 * seconds.size() / 4] - seconds[seconds.size() / 4]),
      seconds.size(), 1e-9 * flops / median);
}

/// The machine's float limit: independent multiply-adds on registers, all threads at once.
void measure_peak(ad::thread_pool& pool) {
  using vec = ad::simd::vec<float>;
  constexpr int rounds = 200'000;
  measure("peak/fma", 2.0 * 8 * ad::simd::lanes<float> * rounds * threads, [&] {
    pool.run(threads, [](ad::index) {
      const vec a = ad::simd::broadcast<vec>(0.999F), b = ad::simd::broadcast<vec>(0.5F);
      vec s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
      for (int i = 0; i < rounds; ++i) {
        s0 = s0 * a + b, s1 = s1 * a + b, s2 = s2 * a + b, s3 = s3 * a + b;
        s4 = s4 * a + b, s5 = s5 * a + b, s6 = s6 * a + b, s7 = s7 * a + b;
        asm volatile("" : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6), "+x"(s7));
      }
    });
  });
}

/// The same run written out by hand: what the composed loop must not cost more than.
void measure_by_hand(const ad::models::mlp<ad::cpu_engine>& model, const std::vector<ad::noise_level>& called,
                     const std::vector<ad::noise_level>& levels, ad::tensor_view<const float, 2> start) {
  ad::tensor<float, 2> x{start};
  auto run = model.prepare(called, x.rows());
  const auto& machine = model.engine();
  std::vector<std::int32_t> level(static_cast<std::size_t>(x.rows()));
  measure(ad::concat("hand/ddim50/b", x.rows()).c_str(), 0, [&] {
    std::ranges::copy(start.flat(), x.data());
    for (std::size_t i = 0; i < called.size(); ++i) {
      std::fill(level.begin(), level.end(), static_cast<std::int32_t>(i));
      const auto &from = levels[i], &to = levels[i + 1];
      ad::ops::combine<float> op{};
      op.x = x.data();
      op.output = run.output(x.data(), level.data(), x.rows());
      op.next = x.data();
      op.rows = x.rows();
      op.row_size = d;
      op.fold = {static_cast<float>(1 / from.alpha), static_cast<float>(-from.sigma / from.alpha), 0};
      op.wx = static_cast<float>(to.sigma / from.sigma);
      op.wc = static_cast<float>(to.alpha - to.sigma / from.sigma * from.alpha);
      machine.run(op);
    }
  });
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i)
    if (std::strcmp(arguments[i], "--threads") == 0 && i + 1 < count) threads = std::atoi(arguments[i + 1]);
  const ad::cpu_engine machine{threads};
  ad::models::mlp<ad::cpu_engine> model{{}, machine};
  model.build({{d}, 7});
  const auto schedule = ad::schedules::linear{}.levels();
  auto levels = ad::grids::leading{}.pick(schedule, 50);
  const std::vector<ad::noise_level> called = levels;
  levels.push_back(ad::clean_level);
  constexpr double row_flops = 2.0 * (2 * d * 256 + 4 * 256 * 256);
  measure_peak(machine.pool());

  for (const ad::index rows : {1, 16, 256}) {
    ad::denoising_loop<decltype(model), ad::predictions::epsilon> loop{
        model, ad::predictions::epsilon{}, ad::samplers::ddim{}.program(levels), rows, d, {}};
    ad::tensor<float, 2> start{{rows, d}}, x{{rows, d}};
    machine.run(ad::ops::fill_normal<float>{start.data(), rows, d, {}});
    measure(ad::concat("ddim50/b", rows).c_str(), 50 * row_flops * static_cast<double>(rows), [&] {
      std::ranges::copy(start.flat(), x.data());  // an untrained network's rows would grow from call to call
      loop.run(x.data(), rows, {}, [](std::size_t) {});
    });
    measure_by_hand(model, called, levels, start.view());
  }
  {  // the same row with weights read in half precision
    ad::models::mlp<ad::cpu_engine> halved{{}, ad::cpu_engine{threads, ad::weight_storage::halves}};
    halved.build({{d}, 7});
    ad::denoising_loop<decltype(halved), ad::predictions::epsilon> loop{
        halved, ad::predictions::epsilon{}, ad::samplers::ddim{}.program(levels), 1, d, {}};
    ad::tensor<float, 2> start{{1, d}}, x{{1, d}};
    machine.run(ad::ops::fill_normal<float>{start.data(), 1, d, {}});
    measure("ddim50/b1/halves", 50 * row_flops, [&] {
      std::ranges::copy(start.flat(), x.data());
      loop.run(x.data(), 1, {}, [](std::size_t) {});
    });
  }
  for (const ad::index rows : {1, 256}) {
    constexpr ad::index block = 512;  // rows x levels for the network at a time
    const ad::index stacked = rows * 50, at_once = std::min(stacked, block);
    auto run = model.prepare(called, at_once);
    ad::tensor<float, 2> x{{stacked, d}};
    machine.run(ad::ops::fill_normal<float>{x.data(), stacked, d, {}});
    std::vector<std::int32_t> level(static_cast<std::size_t>(stacked));
    for (std::size_t i = 0; i < level.size(); ++i) level[i] = static_cast<std::int32_t>(i % 50);
    measure(ad::concat("levels50/b", rows).c_str(), row_flops * static_cast<double>(stacked), [&] {
      for (ad::index first = 0; first < stacked; first += at_once)
        (void)run.output(x.row(first).data(), level.data() + first, std::min(at_once, stacked - first));
    });
  }
  for (const ad::index batch : {64, 2048})
    for (const ad::index shared : {0, 64}) {  // 0: each row has its own level, the same work as the peers
      ad::tensor<float, 2> rows{{4096, d}};
      machine.run(ad::ops::fill_normal<float>{rows.data(), 4096, d, {}});
      ad::training_params params{.steps = 1 << 30, .batch = batch, .levels = shared, .average = 0};
      const ad::row_source source{rows, 4096};
      ad::trainer trainer{model,
                          ad::predictions::epsilon{},
                          ad::corruptions::gaussian{},
                          ad::objectives::squared_error{},
                          schedule,
                          params,
                          source,
                          7};
      const double time_rows = static_cast<double>(shared == 0 ? batch : shared);
      const double flops = 3 * (static_cast<double>(batch) * row_flops + time_rows * 2.0 * (64 * 256 + 5 * 256 * 256));
      measure(ad::concat("train/b", batch, shared == 0 ? "" : "/levels64").c_str(), flops,
              [&] { (void)trainer.step(); });
    }
  constexpr ad::index big = 16 * 3 * 256 * 256;
  ad::tensor<float, 2> x{{16, big / 16}}, output{{16, big / 16}};
  machine.run(ad::ops::fill_normal<float>{output.data(), 16, big / 16, {}});
  ad::ops::combine<float> update{};
  update.x = x.data();
  update.next = x.data();
  update.output = output.data();
  update.rows = 16;
  update.row_size = big / 16;
  update.fold = {1.1F, -0.2F, 0};
  update.wx = 0.3F;
  update.wc = 0.6F;
  update.wz = 0.1F;
  const std::vector<std::uint32_t> draws{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  update.noise.draws = draws.data();
  measure("update/3.1M", 0, [&] { machine.run(update); });
  measure("randn/3.1M", 0, [&] {
    machine.run(ad::ops::fill_normal<float>{x.data(), 16, big / 16, {{}, draws.data(), 0}});
  });
  return 0;
}
