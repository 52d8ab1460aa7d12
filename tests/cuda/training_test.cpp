// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/resnet_mlp.hpp>
#include <anodiff/models/unet2d.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/resident_trainer.cuh>
#include <anodiff/pipeline/trainer.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/schedules/cosine.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"
#include "../support/plain_product.hpp"

namespace cuda_test::training_test {

namespace {

template <class Model>
Model built(Model model, std::vector<index> sample) {
  model.build({std::move(sample), 17});
  return model;
}
template <class Model>
Model built(Model model, index d) {
  return built(std::move(model), std::vector<index>{d});
}

/// Relative error of a gradient on the device against the host's, of the largest element.
constexpr double gradient_bound = 1e-5;

/// Outputs, then the gradients of all parameters, of one training pass.
template <class Model, class Engine>
std::vector<float> gradients_of(const Model& model, const Engine&, const std::vector<double>& x,
                                const std::vector<double>& slope, index rows, index d) {
  constexpr bool remote = remote_engine<Engine>;
  auto network = model.record(nn::gradients::all);
  auto& tape = network.tape;
  auto& machine = tape.machine();
  const std::vector<double> times{10, 300, 750};
  const index count = 3;
  const auto level = levels(rows, 3);
  const std::vector<std::uint32_t> draws{4, 9, 1, 7, 0, 3, 2};
  tape.plan(rows, count);
  auto features = machine.allocate(count * tape.width(network.features));
  model.describe(times, features.data());
  nn::pass p{.rows = rows, .levels = count, .level = level.data(), .training = true, .noise = {.seed = 3}};
  p.noise.use = purpose::dropout;
  auto on_x = machine.allocate(rows * d);
  const auto from = elements<float>(x), dy = elements<float>(slope);
  std::vector<float> out(static_cast<std::size_t>(rows * d));
  const auto pass = [&] {
    tape.bind(network.x, on_x.data());
    tape.bind(network.features, features.data());
    tape.forward_levels(p);
    tape.forward_rows(p);
  };
  if constexpr (remote) {
    const auto on_level = machine.upload(level);
    const auto on_draws = machine.upload(draws);
    p.level = on_level.data(), p.draws = on_draws.data();
    machine.upload(std::span{from}, on_x.data());
    pass();
    machine.upload(std::span{dy}, tape.gradient(network.output));
    machine.download(tape.data(network.output), std::span{out});
    tape.backward(p, network.output);
    std::vector<float> gradients(tape.parameter_gradients().size());
    machine.download(tape.parameter_gradients().data(), std::span{gradients});
    out.insert(out.end(), gradients.begin(), gradients.end());
  } else {
    p.draws = draws.data();
    std::copy(from.begin(), from.end(), on_x.begin());
    pass();
    std::copy(dy.begin(), dy.end(), tape.gradient(network.output));
    std::copy_n(tape.data(network.output), out.size(), out.begin());
    tape.backward(p, network.output);
    out.insert(out.end(), tape.parameter_gradients().begin(), tape.parameter_gradients().end());
  }
  return out;
}

template <template <class> class Network, class Params>
void check_gradients(const Params& params, const std::vector<index>& sample = {5}, index rows = 7) {
  const index d = model_shape{sample}.size();
  const auto x = inputs<float>(rows * d, 1), slope = inputs<float>(rows * d, 2);
  const auto on_device = built(Network<cuda_engine>{params, test::network_engine()}, sample);
  const auto on_host = built(Network<test::plain_engine>{params}, sample);
  const auto got = in_every_order([&] { return gradients_of(on_device, on_device.engine(), x, slope, rows, d); });
  const auto want = gradients_of(on_host, on_host.engine(), x, slope, rows, d);
  const double largest = *std::max_element(want.begin(), want.end());
  CHECK(worst(got, as<double>(want), largest) <= gradient_bound);
}

}  // namespace

TEST_CASE("gradients of a network on the device are the host's", "[cuda][training]") {
  if (!device_ready() || few_threads) return;
  check_gradients<models::mlp>(models::mlp_params{.width = 20, .layers = 2, .time_features = 8});
  check_gradients<models::resnet_mlp>(
      models::resnet_mlp_params{.width = 12, .hidden = 20, .blocks = 2, .dropout = 0.25, .time_features = 8});
}

TEST_CASE("gradients of a network for pictures on the device are the host's", "[cuda][training]") {
  if (!device_ready() || few_threads || slow) return;
  check_gradients<models::conv_unet>(
      models::conv_unet_params{.width = 4, .levels = 2, .time_features = 8, .time_width = 8}, {4, 6, 1}, 3);
  using block = models::unet2d_block;
  check_gradients<models::unet2d>(models::unet2d_params{.channels = {4, 8},
                                                        .down = {block::skip, block::attention},
                                                        .up = {block::attention, block::skip},
                                                        .head_width = 4,
                                                        .norm_groups = 2,
                                                        .centre_input = true,
                                                        .time = models::unet2d_time::fourier},
                                  {4, 4, 3}, 3);
}

namespace {

constexpr index table_rows = 37, table_width = 5, trained_rows = 29;
const training_params table_training{
    .steps = 12, .batch = 12, .levels = 4, .rate = 1e-3, .clip = 0.5, .validation = 0.2};

/// Rows of a table, of which the first trained_rows train, and both trainers of a network for them.
struct table {
  using gaussian = corruptions::gaussian;
  using loss = objectives::squared_error;
  using host_trainer = trainer<models::resnet_mlp<test::plain_engine>, predictions::epsilon, gaussian, loss>;
  using device_trainer = resident_trainer<models::resnet_mlp<cuda_engine>, predictions::epsilon, gaussian, loss>;

  const models::resnet_mlp_params numbers{.width = 8, .hidden = 12, .blocks = 1, .dropout = 0.25, .time_features = 8};
  const std::vector<float> values = elements<float>(inputs<float>(table_rows * table_width, 3));
  const std::vector<noise_level> levels = schedules::cosine{}.levels();
  const row_source source{{values.data(), {table_rows, table_width}}, trained_rows};
  models::resnet_mlp<test::plain_engine> on_host = built(models::resnet_mlp<test::plain_engine>{numbers}, table_width);
  models::resnet_mlp<cuda_engine> on_device =
      built(models::resnet_mlp<cuda_engine>{numbers, test::network_engine()}, table_width);

  [[nodiscard]] host_trainer host() {
    return {on_host, predictions::epsilon{}, gaussian{}, loss{}, levels, table_training, source, 9};
  }
  [[nodiscard]] device_trainer device() {
    return {on_device,
            predictions::epsilon{},
            gaussian{},
            loss{},
            levels,
            table_training,
            {values.data(), {trained_rows, table_width}},
            9,
            {values.data() + trained_rows * table_width, {table_rows - trained_rows, table_width}}};
  }
};

template <class Weights>
std::vector<double> in_double(const Weights& from) {
  return {from.begin(), from.end()};
}

}  // namespace

TEST_CASE("a step on the device is the trainer's", "[cuda][training]") {
  if (!device_ready() || few_threads) return;
  table t;
  auto slow_one = t.host();
  auto trained = t.device();
  for (index step = 0; step < table_training.steps; ++step) {
    trained.step();
    const double want = slow_one.step();
    CHECK(std::abs(trained.loss() - want) <= 1e-4 * want);
  }
  CHECK(trained.steps_done() == table_training.steps);
  CHECK(trained.graph_size() > 0);
  trained.finish();
  const auto got = t.on_device.store().values();
  CHECK(worst(std::vector<float>(got.begin(), got.end()), in_double(slow_one.state().average)) <= 2e-4);
}

TEST_CASE("the loss of validation rows on the device is the trainer's, and moves nothing", "[cuda][training]") {
  if (!device_ready() || few_threads) return;
  table t, undisturbed;
  auto slow_one = t.host();
  auto trained = t.device(), other = undisturbed.device();
  for (index step = 0; step < table_training.steps; ++step) {
    trained.step();
    other.step();
    CHECK(trained.validate() > 0);
  }
  CHECK(same_bits(in_double(trained.state().weights), in_double(other.state().weights)));
  slow_one.run([](const progress&) { return true; }, [](index) {});
  const double want = slow_one.state().validation;
  CHECK(std::abs(trained.validate() - want) <= 1e-4 * want);
}

TEST_CASE("a step's graph gives the bits of its launches, and a state those of a run that was not cut",
          "[cuda][training]") {
  if (!device_ready() || few_threads) return;
  table whole, cut, later, one_by_one;
  auto first = whole.device(), second = cut.device(), third = later.device();
  for (index step = 0; step < table_training.steps; ++step) first.step();
  for (index step = 0; step < 5; ++step) second.step();
  third.restore(second.state());
  CHECK(third.steps_done() == 5);
  for (index step = 5; step < table_training.steps; ++step) third.step();
  const auto want = first.state(), got = third.state();
  CHECK(same_bits(in_double(want.weights), in_double(got.weights)));
  CHECK(same_bits(in_double(want.average), in_double(got.average)));
  CHECK(same_bits(in_double(want.second), in_double(got.second)));
  CHECK(want.validation == got.validation);
  CHECK(want.loss == got.loss);
  // each step by a trainer that makes no other, and so records none
  auto state = one_by_one.device().state();
  for (index step = 0; step < table_training.steps; ++step) {
    auto one = one_by_one.device();
    one.restore(state);
    one.step();
    CHECK(one.graph_size() == 0);
    state = one.state();
  }
  CHECK(same_bits(in_double(want.weights), in_double(state.weights)));
  CHECK_THROWS_AS(first.restore(training_state<float>{}), data_error);
}

TEST_CASE("what a step of mlp4x256 and a call of it put on the stream", "[cuda][training]") {
  if (!device_ready() || few_threads) return;
  const index n = 8, d = 4;
  const std::vector<float> x(n * d, 0.5F);
  const auto levels_of = schedules::cosine{}.levels();
  auto model =
      built(models::mlp<cuda_engine>{{.width = 8, .layers = 4, .time_features = 8}, test::network_engine()}, d);
  const auto& engine = model.engine();
  resident_trainer<models::mlp<cuda_engine>, predictions::epsilon, corruptions::gaussian, objectives::squared_error>
      trained{model,
              predictions::epsilon{},
              corruptions::gaussian{},
              objectives::squared_error{},
              levels_of,
              {.steps = 9, .batch = 4, .levels = 2},
              {x.data(), {n, d}},
              9};
  trained.step();
  trained.step();
  auto run = model.prepare(levels_of, 4);
  const auto on_x = engine.upload(x);
  const auto level = engine.upload(std::vector<std::int32_t>(4));
  (void)run.output(on_x.data(), level.data(), 4);
  const device::graph call{engine.stream(), [&] { (void)run.output(on_x.data(), level.data(), 4); }};
  CHECK(trained.graph_size() <= 79);  // benchmarks/gpu_roofline.py counts on both
  CHECK(call.size() <= 12);
}

}  // namespace cuda_test::training_test
