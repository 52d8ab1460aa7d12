// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/mlp.cuh>
#include <anodiff/predictions/epsilon.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"

namespace cuda_test::mlp_test {

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

/// F of one row in double, from the network's own numbers, with weights and activations rounded where the kernel does;
/// the projection and the first hidden layer are one product.
std::vector<double> by_hand(const network& net, const std::vector<double>& x, const noise_level& level) {
  const auto& p = net.parameters();
  const auto values = [&](const std::string& name) {
    const auto* found = net.store().find(name);
    return std::vector<double>(net.store().at(*found), net.store().at(*found) + found->count());
  };
  /// x (rows, n) W (n, columns) + b, b being (columns)
  const auto product = [](const std::vector<double>& from, const std::vector<double>& w, const std::vector<double>& b) {
    const auto columns = b.size(), n = w.size() / columns;
    std::vector<double> y;
    for (std::size_t i = 0; i < from.size() / n; ++i)
      for (std::size_t j = 0; j < columns; ++j) {
        double sum = b[j];
        for (std::size_t k = 0; k < n; ++k) sum += from[i * n + k] * w[k * columns + j];
        y.push_back(sum);
      }
    return y;
  };
  const auto dense = [&](const std::vector<double>& from, const std::string& name) {
    return product(from, values(name + ".weight"), values(name + ".bias"));
  };
  const auto rounding = [](std::vector<double> of) {
    for (double& v : of) v = rounded(v);
    return of;
  };
  const auto silu = [](std::vector<double> of) {
    for (double& v : of) v = ops::reference::activate(ops::activation::silu, v);
    return of;
  };
  std::vector<double> features(static_cast<std::size_t>(p.time_features));
  ops::reference::run(ops::time_features<double>{&level.time, features.data(), 1, p.time_features});
  const auto time = dense(silu(dense(features, "time.0")), "time.2");
  std::vector<double> h = x;
  for (index i = 0; i < p.layers; ++i) {
    auto w = values(concat("hidden.", i, ".weight")), b = values(concat("hidden.", i, ".bias"));
    if (i == 0) {
      b = product(values("in.bias"), w, b);
      w = product(values("in.weight"), w, std::vector<double>(b.size()));
    }
    const auto add = dense(time, concat("project.", i));
    for (std::size_t j = 0; j < b.size(); ++j) b[j] += add[j];
    h = silu(product(rounding(h), rounding(w), b));
  }
  return product(rounding(h), rounding(values("out.weight")), values("out.bias"));
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
    index rows, d, width, layers, usual;
  };
  constexpr index many = models::mlp_few_rows + 1;
  for (const auto& [rows, d, width, layers, usual] :
       {extents{3, 1, 1, 1, many}, extents{70, 5, 48, 2, many}, extents{17, 66, 64, 1, many},
        extents{5, 33, 130, 3, many}, extents{3, 1, 1, 1, 1}, extents{few_threads ? 5 : 11, 5, 48, 2, 1},
        extents{2, 66, 64, 1, 1}, extents{1, 33, 130, 3, 1}}) {
    if ((few_threads && width != 48) || (slow && width == 130)) continue;
    CAPTURE(rows, d, width, layers, usual);
    const auto net = make_network(d, width, layers);
    const auto levels_of = make_levels(3);
    const auto x = inputs<float>(rows * d, 1);
    const auto level = levels(rows, 3);
    const models::mlp_on_gpu on_gpu{net, levels_of, cuda_engine{}, usual};
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
    if (few_threads && usual == 1) continue;
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
  struct how {
    double noise, limit;
    index usual;
  };
  constexpr index many = models::mlp_few_rows + 1;
  for (const auto& [noise, limit, usual] :
       {how{0, 0, many}, how{0, 1.25, many}, how{0.5, 0, many}, how{0.5, 1.25, many}, how{0.5, 1.25, 1}}) {
    if (few_threads && noise * limit == 0) continue;
    CAPTURE(noise, limit, usual);
    const auto program = make_program(levels_of, noise);
    const predictions::epsilon prediction{};
    const auto x = inputs<float>(rows * d, 1, 0.7);
    const noise_key key{.seed = 12, .draw = 3};
    models::mlp_on_gpu on_gpu{net, std::span{levels_of}.first(program.size()), cuda_engine{}, usual};
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
    for (index i = 1; i < layers; ++i) add_layer(width, width, 2);
    add_layer(width, d, 3);
    const auto x = inputs<float>(rows * d, 4), bias = inputs<float>(d, 5),
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

TEST_CASE("few rows go to clusters where the network and the device allow it", "[cuda][mlp]") {
  CHECK(models::why_no_clusters({}, 32, models::mlp_few_rows).empty());
  CHECK(models::why_no_clusters({}, 32, models::mlp_few_rows + 1) ==
        "calls of more than 768 rows fill the card without clusters");
  CHECK(models::why_no_clusters({.layers = 15}, 32, 1) ==
        "an eighth of the network needs 246800 bytes of a block's shared memory, of 232448");
  CHECK(ops::cuda::mlp_cluster_bytes(32, 256, 4) == 16 + 2 * 8 * 576 + 4096 + 3 * 16384 + 4096);
  if (!device_ready()) return;
  const auto net = make_network(3, 8, 1);
  const auto levels_of = make_levels(2);
  CHECK_FALSE(models::mlp_on_gpu{net, levels_of}.in_clusters());
#if !defined(__CUDACC__)
  CHECK(models::mlp_on_gpu{net, levels_of, cuda_engine{}, 1}.in_clusters());
  shim::has_clusters = false;
  const models::mlp_on_gpu old{net, levels_of, cuda_engine{}, 1};
  shim::has_clusters = true;
  CHECK(old.why_not_in_clusters() == "the device, or what this program was compiled for, has no clusters of blocks");
#endif
}

}  // namespace cuda_test::mlp_test
