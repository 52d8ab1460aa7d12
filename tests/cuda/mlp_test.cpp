// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/mlp.cuh>
#include <anodiff/predictions/epsilon.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"

namespace cuda_test {

namespace {

using network = models::mlp<test::plain_engine>;

network make_network(index d, index width, index layers) {
  network made{{.width = width, .layers = layers, .time_features = 8}};
  made.build({{d}, 17});
  return made;
}

std::vector<noise_level> make_levels(index count) {
  std::vector<noise_level> levels;
  for (index i = 0; i < count; ++i) {
    const double angle = 1.5 - 1.4 * static_cast<double>(i) / static_cast<double>(count);
    levels.push_back({std::cos(angle), std::sin(angle), 100 * angle});
  }
  return levels;
}

/// Steps on the clean estimate, with fresh noise where `noise` is not 0.
std::vector<stage> make_program(const std::vector<noise_level>& levels, double noise) {
  std::vector<stage> program;
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    program.push_back(anodiff::detail::first_order(levels[i], levels[i + 1]));
    program.back().noise_weight = noise * levels[i + 1].sigma;
  }
  return program;
}

/// Rounds to bfloat16, as the kernel does with what it multiplies.
double rounded(double x) { return value_of(element_of<device::bfloat16>(x)); }

/// F of one row in double, from the network's own numbers, with weights and activations rounded where the kernel does.
std::vector<double> by_hand(const network& net, std::vector<double> h, const noise_level& level) {
  const auto& p = net.parameters();
  const auto dense = [&](const std::vector<double>& x, const std::string& name, bool rounds) {
    const auto* w = net.store().find(name + ".weight");
    const auto* b = net.store().at(*net.store().find(name + ".bias"));
    std::vector<double> y(static_cast<std::size_t>(w->columns));
    for (index j = 0; j < w->columns; ++j) {
      double sum = static_cast<double>(b[j]);
      for (index k = 0; k < w->rows; ++k) {
        const auto weight = static_cast<double>(net.store().at(*w)[k * w->columns + j]);
        const double from = x[static_cast<std::size_t>(k)];
        sum += rounds ? rounded(from) * rounded(weight) : from * weight;
      }
      y[static_cast<std::size_t>(j)] = sum;
    }
    return y;
  };
  const auto silu = [](std::vector<double> x) {
    for (double& v : x) v = ops::reference::activate(ops::activation::silu, v);
    return x;
  };
  std::vector<double> features(static_cast<std::size_t>(p.time_features));
  ops::reference::run(ops::time_features<double>{&level.time, features.data(), 1, p.time_features});
  const auto time = dense(silu(dense(features, "time.0", false)), "time.2", false);
  h = dense(h, "in", true);
  for (index i = 0; i < p.layers; ++i) {
    h = dense(h, concat("hidden.", i), true);
    const auto add = dense(time, concat("project.", i), false);
    for (std::size_t j = 0; j < h.size(); ++j) h[j] += add[j];
    h = silu(h);
  }
  return dense(h, "out", true);
}

/// The largest difference, and the largest for almost all: a sum next to a rounding edge goes the other way now and
/// then, and moves an estimate by a part of a bfloat16's step.
void check_close(const std::vector<float>& got, const std::vector<double>& want, double most, double usual) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < want.size(); ++i) errors.push_back(std::abs(static_cast<double>(got[i]) - want[i]));
  std::sort(errors.begin(), errors.end());
  for (const float x : got) REQUIRE(std::isfinite(x));
  CHECK(errors.back() <= most);
  CHECK(errors[errors.size() / 2] <= usual);
}

}  // namespace

TEST_CASE("one estimate of an mlp in one launch is the network's", "[cuda][mlp]") {
  if (!device_ready()) return;
  struct extents {
    index rows, d, width, layers;
  };
  for (const auto& [rows, d, width, layers] :
       {extents{3, 1, 1, 1}, extents{70, 5, 48, 2}, extents{17, 66, 64, 1}, extents{5, 33, 130, 3}}) {
    if ((few_threads && width != 48) || (slow && width == 130)) continue;
    CAPTURE(rows, d, width, layers);
    const auto net = make_network(d, width, layers);
    const auto levels_of = make_levels(3);
    const auto x = inputs<float>(rows * d, 1);
    const auto level = levels(rows, 3);
    const models::mlp_on_gpu on_gpu{net, levels_of};
    const auto got = in_every_order([&] {
      device_array<float> on_x(elements<float>(x)), out(rows * d, NAN);
      device_array<std::int32_t> on_level(level);
      on_gpu.output(on_x.data(), on_level.data(), rows, out.data());
      return out.host();
    });
    std::vector<double> want;
    for (index i = 0; i < rows; ++i) {
      const auto f = by_hand(net, rows_of(x, d, i, i + 1),
                             levels_of[static_cast<std::size_t>(level[static_cast<std::size_t>(i)])]);
      want.insert(want.end(), f.begin(), f.end());
    }
    check_close(got, want, 2e-3, 2e-5);
    // each row alone
    for (const index i : {index{0}, rows - 1}) {
      device_array<float> on_x(elements<float>(rows_of(x, d, i, i + 1))), out(d, NAN);
      device_array<std::int32_t> on_level(rows_of(level, 1, i, i + 1));
      on_gpu.output(on_x.data(), on_level.data(), 1, out.data());
      CHECK(same_bits(out.host(), rows_of(got, d, i, i + 1)));
    }
  }
}

TEST_CASE("a whole reverse process in one launch is the loop's", "[cuda][mlp]") {
  if (!device_ready()) return;
  const index rows = few_threads ? 3 : 37, d = 7;
  const auto net = make_network(d, 48, 2);
  auto levels_of = make_levels(4);
  levels_of.push_back(clean_level);
  for (const double noise : {0.0, 0.5})
    for (const double limit : {0.0, 1.25}) {
      CAPTURE(noise, limit);
      const auto program = make_program(levels_of, noise);
      const predictions::epsilon prediction{};
      const auto x = inputs<float>(rows * d, 1, 0.7);
      const noise_key key{.seed = 12, .draw = 3};
      models::mlp_on_gpu on_gpu{net, std::span{levels_of}.first(program.size())};
      on_gpu.plan(prediction, program, limit);
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x));
        on_gpu.run(on_x.data(), rows, key);
        return on_x.host();
      });
      const auto update = [&](std::size_t i) {
        const auto& s = program[i];
        const mixture fold = prediction.fold(s.at);
        ops::combine<float> op{};
        op.rows = rows, op.row_size = d;
        op.fold = {static_cast<float>(fold.first), static_cast<float>(fold.second), static_cast<float>(limit)};
        op.wx = static_cast<float>(s.x_weight), op.wc = static_cast<float>(s.clean_weight);
        op.wz = static_cast<float>(s.noise_weight);
        op.noise = {{.seed = key.seed, .draw = key.draw, .step = static_cast<std::uint32_t>(i)}};
        return op;
      };
      // stage by stage, with the kernels that are tested by themselves
      device_array<float> state(elements<float>(x)), f(rows * d, NAN);
      for (std::size_t i = 0; i < program.size(); ++i) {
        const std::vector<std::int32_t> here(static_cast<std::size_t>(rows), static_cast<std::int32_t>(i));
        device_array<std::int32_t> level(here);
        on_gpu.output(state.data(), level.data(), rows, f.data());
        auto op = update(i);
        op.output = f.data();
        op.x = op.next = state.data();
        ops::cuda::run(op, on_gpu.engine().stream());
        on_gpu.engine().wait();
      }
      check_close(got, as<double>(state.host()), 1e-2, 2e-5);
      // the float network on the host
      auto want = elements<float>(x);
      auto host = net.prepare(std::span{levels_of}.first(program.size()), rows);
      for (std::size_t i = 0; i < program.size(); ++i) {
        const std::vector<std::int32_t> here(static_cast<std::size_t>(rows), static_cast<std::int32_t>(i));
        auto op = update(i);
        op.output = host.output(want.data(), here.data(), rows);
        op.x = op.next = want.data();
        ops::reference::run(op);
      }
      // the network differs by 1 % of F, and the first level's fold multiplies that by sigma / alpha = 14
      check_close(got, as<double>(want), limit > 0 ? 0.1 : 0.4, limit > 0 ? 0.01 : 0.05);
    }
}

TEST_CASE("warps of sixteen and of thirty-two rows give the same bits", "[cuda][mlp]") {
  if (!device_ready()) return;
  struct extents {
    index rows, d, width, layers;
  };
  for (const auto& [rows, d, width, layers] :
       {extents{45, 7, 48, 1}, extents{131, 33, 130, 2}, extents{1, 256, 64, 1}}) {
    if ((few_threads && width != 48) || (slow && width == 130)) continue;
    CAPTURE(rows, d, width, layers);
    std::vector<std::uint32_t> packed;
    const auto add_layer = [&](index in, index out, std::uint64_t seed) {
      const auto w = elements<float>(inputs<float>(in * out, seed, 1 / std::sqrt(static_cast<double>(in))));
      ops::cuda::pack_mlp_weights(w.data(), in, out, packed);
    };
    add_layer(d, width, 1);
    for (index i = 0; i < layers; ++i) add_layer(width, width, 2);
    add_layer(width, d, 3);
    const auto x = inputs<float>(rows * d, 4), bias = inputs<float>(ops::cuda::mlp_columns(width) + d, 5),
               table = inputs<float>(layers * 2 * ops::cuda::mlp_columns(width), 6);
    const std::vector<ops::cuda::mlp_step> steps{
        {.level = 1, .fold = {1.1F, -0.4F, 2}, .wx = 0.3F, .wc = 0.7F, .wz = 0.2F, .noise_step = 0},
        {.level = 0, .fold = {1, -0.2F, 0}, .wx = 0.1F, .wc = 0.9F, .noise_step = 1}};
    device_array<std::uint32_t> on_weights(packed);
    device_array<float> on_bias(elements<float>(bias)), on_table(elements<float>(table));
    device_array<ops::cuda::mlp_step> on_steps(steps);
    const auto run_as = [&](auto launch) {
      return in_every_order([&] {
        device_array<float> on_x(elements<float>(x));
        launch(ops::cuda::mlp_loop{.x = on_x.data(),
                                   .y = on_x.data(),
                                   .weights = on_weights.data(),
                                   .bias = on_bias.data(),
                                   .table = on_table.data(),
                                   .steps = on_steps.data(),
                                   .rows = rows,
                                   .row_size = d,
                                   .width = width,
                                   .layers = layers,
                                   .levels = 2,
                                   .count = 2,
                                   .noise = {{.seed = 9}}});
        return on_x.host();
      });
    };
    const auto narrow = run_as([](const auto& op) { ops::cuda::detail::launch_mlp_loop<1>(op, stream); });
    for (const float v : narrow) REQUIRE(std::isfinite(v));
    CHECK(same_bits(narrow, run_as([](const auto& op) { ops::cuda::detail::launch_mlp_loop<2>(op, stream); })));
  }
}

TEST_CASE("what does not fit on the chip is refused with its reason", "[cuda][mlp]") {
  const auto levels_of = make_levels(4);
  auto program = make_program(levels_of, 1);
  CHECK(models::why_not_one_launch({.width = 256}, 32, program).empty());
  CHECK(models::why_not_one_launch({.width = 257}, 32, {}) ==
        "a network or rows of more than 256 columns do not fit on the chip");
  program[1].past_weight[0] = -0.5;
  CHECK(models::why_not_one_launch({}, 32, program) ==
        "the sampler reads earlier estimates, which are not kept on the chip");
}

}  // namespace cuda_test
