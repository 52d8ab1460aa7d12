// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/unet2d.hpp>
#include "../support/cuda_test.hpp"
#include "../support/plain_convolution.hpp"
#include "../support/plain_engine.hpp"

namespace cuda_test::unet2d_test {

namespace {

using block = models::unet2d_block;

/// Two small networks that have every kind of block, time and resampling between them.
std::vector<models::unet2d_params> networks() {
  models::unet2d_params plain{.channels = {4, 8}, .down = {block::plain, block::attention}};
  plain.up = {block::attention, block::resnet};
  plain.head_width = 4, plain.norm_groups = 2, plain.centre_input = true;
  models::unet2d_params skipping{.channels = {32, 32}, .down = {block::skip, block::skip_attention}};
  skipping.up = {block::skip_attention, block::skip};
  skipping.norm_groups = 2, skipping.time = models::unet2d_time::fourier, skipping.scale_shift = true;
  skipping.middle_divisor = 1.5, skipping.head_width = 0;
  return {plain, skipping};
}

const std::vector<noise_level> some_levels{{0.9, 0.4, 10}, {0.5, 0.8, 300}, {0.1, 0.99, 900}};

template <class Model>
Model built(Model model) {
  model.build({{8, 4, 3}, 5});
  return model;
}

/// The network's output for rows at the levels in turn, on an engine of either kind.
template <class Model>
std::vector<float> output_of(const Model& model, const std::vector<float>& x, const std::vector<std::int32_t>& level) {
  const auto rows = static_cast<index>(level.size());
  auto run = model.prepare(some_levels, rows);
  std::vector<float> out(x.size());
  if constexpr (remote_engine<typename Model::engine_type>) {
    const auto on_x = model.engine().upload(x);
    const auto on_level = model.engine().upload(level);
    model.engine().download(run.output(on_x.data(), on_level.data(), rows), std::span{out});
  } else {
    std::copy_n(run.output(x.data(), level.data(), rows), out.size(), out.begin());
  }
  return out;
}

}  // namespace

TEST_CASE("a unet2d on the device is the host's", "[cuda][unet2d]") {
  if (!device_ready() || few_threads || slow) return;
  const std::vector<std::int32_t> level{2, 0, 1};
  for (const auto& params : networks()) {
    CAPTURE(static_cast<int>(params.time));
    const auto on_device = built(models::unet2d<cuda_engine>{params, test::network_engine()});
    const auto on_host = built(models::unet2d<test::plain_engine>{params});
    const auto x = elements<float>(inputs<float>(3 * on_host.sample_shape().size(), 1));
    const auto got = in_every_order([&] { return output_of(on_device, x, level); });
    const auto want = output_of(on_host, x, level);
    CHECK(worst(got, as<double>(want)) <= 1e-5);
    // with a library's convolutions where it has them
    if (params.scale_shift) continue;
    const auto convolving = built(models::unet2d<cuda_engine>{params, test::convolving_engine()});
    CHECK(worst(output_of(convolving, x, level), as<double>(want)) <= 1e-5);
  }
}

}  // namespace cuda_test::unet2d_test
