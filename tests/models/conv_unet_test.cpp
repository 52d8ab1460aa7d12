// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/trainer.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/schedules/linear.hpp>
#include "laws/denoiser_laws.hpp"

using namespace anodiff;
using models::conv_unet;
using models::conv_unet_architecture;
using models::conv_unet_params;

TEST_CASE("conv_unet: a policy", "[models]") {
  laws::check_policy<conv_unet_architecture>(
      {.width = 3, .levels = 2, .outputs = 5, .time_features = 6, .time_width = 7, .same_everywhere = false});
  laws::check_policy<conv_unet<cpu_engine>>();
}

TEST_CASE("conv_unet: gradients of the whole network", "[models][gradients]") {
  for (const laws::index outputs : {0, 3}) {
    const conv_unet_architecture net{
        {.width = 2, .levels = 2, .outputs = outputs, .time_features = 4, .time_width = 3}};
    laws::check_network(
        [&](auto& t, nn::value x, nn::value features) {
          t.set_image(x, {4, 6, 1});
          return net.forward(t, x, features);
        },
        2, 24, 2, 4, 1e-6);
  }
}

TEST_CASE("conv_unet: the laws of a denoiser", "[models][laws]") {
  laws::check_denoiser<conv_unet_architecture>({.width = 5, .levels = 2, .time_features = 4, .time_width = 9},
                                               {6, 10, 2});
  laws::check_denoiser<conv_unet_architecture>({}, {8, 4, 1});
}

TEST_CASE("conv_unet: stored and read back", "[models]") {
  laws::check_storage<conv_unet_architecture>({.width = 3, .levels = 2, .time_features = 2, .time_width = 3},
                                              {4, 2, 1});
}

TEST_CASE("conv_unet: a crop's inside is the whole picture's", "[models]") {
  conv_unet<cpu_engine> model{{.width = 8, .levels = 2, .outputs = 2}, cpu_engine{2}};
  model.build({{64, 64, 1}, 3});
  std::vector<float> picture(64 * 72), crop(48 * 44);
  for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<float>(laws::uniform(1, i, -2, 2));
  for (std::size_t i = 0; i < 48; ++i) std::copy_n(picture.data() + (i + 10) * 72 + 20, 44, crop.data() + i * 44);
  const std::vector<noise_level> levels{{0.8, 0.6, 3}};
  const std::int32_t level = 0;
  auto whole = model.prepare(levels, 1, {64, 72, 1}), part = model.prepare(levels, 1, {48, 44, 1});
  CHECK(whole.output_width() == 64 * 72 * 2);
  CHECK(part.output_width() == 48 * 44 * 2);
  const float* out = whole.output(picture.data(), &level, 1);
  const float* inside = part.output(crop.data(), &level, 1);
  // a pixel sees 16 others to each side: 6 by convolutions at full size, 10 by those at half size
  bool same = true;
  for (std::size_t i = 16; i < 48 - 16; ++i)
    same = same && std::equal(inside + (i * 44 + 16) * 2, inside + (i * 44 + 28) * 2, out + ((i + 10) * 72 + 36) * 2);
  CHECK(same);
  CHECK(!std::equal(inside, inside + 2, out + (10 * 72 + 20) * 2));  // at the border they differ

  const auto features = whole.features(), cropped = part.features();
  CHECK(features.image == nn::image_shape{64, 72, 8});
  CHECK(features.width == 64 * 72 * 8);
  CHECK(std::equal(cropped.data + (20 * 44 + 20) * 8, cropped.data + (20 * 44 + 24) * 8,
                   features.data + (30 * 72 + 40) * 8));
  CHECK_THROWS_WITH(whole.features(1), "model 'conv_unet': features 1 were asked for, the network gives 1");
}

TEST_CASE("conv_unet: the fast network differs by rounding alone, and keeps the laws", "[models][laws]") {
  conv_unet_params p{.width = 32, .levels = 2, .time_features = 4, .time_width = 9};
  conv_unet<cpu_engine> plain{p, cpu_engine{1}};
  p.same_everywhere = false;
  conv_unet<cpu_engine> fast{p, cpu_engine{2}};
  plain.build({{16, 20, 1}, 3});
  fast.build({{16, 20, 1}, 3});
  const laws::query<float> q{3, 320, 2};
  const auto want = q.ask(plain), got = q.ask(fast);
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(want[i] - got[i])));
  CHECK(worst > 0);
  CHECK(worst < 1e-5);
  laws::check_denoiser<conv_unet_architecture>(p, {8, 4, 1});
}

TEST_CASE("conv_unet: in bytes it stays near, whatever stands beside a picture and on any number of threads",
          "[models]") {
  const conv_unet_params p{.width = 32, .levels = 2, .time_features = 4, .time_width = 9};
  conv_unet<cpu_engine> whole{p, cpu_engine{1}}, bytes{p, cpu_engine{1, weight_storage::bytes}},
      threads{p, cpu_engine{3, weight_storage::bytes}};
  for (auto* model : {&whole, &bytes, &threads}) model->build({{16, 20, 1}, 3});
  const laws::query<float> q{3, 320, 2};
  const auto want = q.ask(whole), got = q.ask(bytes);
  CHECK(q.ask(threads) == got);
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    apart += std::pow(static_cast<double>(want[i] - got[i]), 2);
    size += std::pow(static_cast<double>(want[i]), 2);
  }
  CHECK(apart > 0);
  CHECK(std::sqrt(apart / size) < 0.03);
  auto run = bytes.prepare(q.levels, 1);
  const float* alone = run.output(q.x.data() + 320, q.level.data() + 1, 1);
  CHECK(std::equal(alone, alone + 320, got.data() + 320));
}

TEST_CASE("conv_unet: the tapped activations are those that the output is made of", "[models]") {
  conv_unet<cpu_engine> model{{.width = 4, .levels = 2, .outputs = 1}, cpu_engine{1}};
  model.build({{4, 4, 1}, 3});
  const laws::query<float> q{3, 16, 2};
  auto run = model.prepare(q.levels, 3);
  const float* out = run.output(q.x.data(), q.level.data(), 3);
  const auto features = run.features();
  const float* w = model.store().at(*model.store().find("out.weight"));
  for (laws::index n = 0; n < 3; ++n) {
    double corner = static_cast<double>(*model.store().at(*model.store().find("out.bias")));
    for (laws::index tap : {4, 5, 7, 8})  // the window over the first pixel: itself, right, below, below right
      for (laws::index c = 0; c < 4; ++c) {
        const laws::index pixel = (tap / 3 - 1) * 4 + tap % 3 - 1;
        corner += static_cast<double>(features.data[(n * 16 + pixel) * 4 + c]) * static_cast<double>(w[tap * 4 + c]);
      }
    CHECK(static_cast<double>(out[n * 16]) == Approx(corner).epsilon(1e-5));
  }
}

TEST_CASE("conv_unet: the size of the image lab's network", "[models]") {
  conv_unet<cpu_engine> model;
  CHECK(model.measure({{64, 64, 1}, 0}) == model.measure({{128, 32, 1}, 0}));
  CHECK(model.measure({{64, 64, 1}, 0}) > 150'000);
  CHECK(model.measure({{64, 64, 1}, 0}) < 230'000);
}

TEST_CASE("conv_unet: learns to remove noise from smooth pictures", "[models]") {
  // pictures of one slanted wave each, whose noise is easily told apart
  tensor<float, 2> x{{96, 8 * 8}};
  for (laws::index i = 0; i < x.rows(); ++i)
    for (laws::index j = 0; j < 64; ++j)
      x(i, j) = static_cast<float>(
          std::sin(0.4 * static_cast<double>(j / 8) + 0.3 * static_cast<double>(j % 8) + static_cast<double>(i)));
  std::vector<std::vector<float>> weights;
  for (const int threads : {1, 3}) {
    conv_unet<cpu_engine> model{{.width = 8, .levels = 2, .time_features = 16, .time_width = 16}, cpu_engine{threads}};
    model.build({{8, 8, 1}, 5});
    const row_source source{x.view(), 80};
    trainer training{model,
                     predictions::epsilon{},
                     corruptions::gaussian{},
                     objectives::squared_error{},
                     schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels(),
                     training_params{.steps = 200, .batch = 16, .validate_every = 200},
                     source,
                     9};
    training.run({}, [](laws::index) {});
    CHECK(training.state().validation < 0.4);
    weights.emplace_back(model.store().values().begin(), model.store().values().end());
  }
  CHECK(weights[0] == weights[1]);
}

TEST_CASE("conv_unet: refuses sizes out of range, and pictures that do not halve", "[models]") {
  CHECK_THROWS_WITH(conv_unet_architecture({.width = 0}), "models::conv_unet: width must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH(conv_unet_architecture({.levels = 9}), "models::conv_unet: levels must lie in [1, 8], got 9");
  CHECK_THROWS_WITH(conv_unet_architecture({.outputs = -1}),
                    "models::conv_unet: outputs must lie in [0, 4096], got -1");
  CHECK_THROWS_WITH(conv_unet_architecture({.time_features = 3}),
                    "models::conv_unet: time_features must be even and lie in [2, 4096], got 3");
  CHECK_THROWS_WITH(conv_unet_architecture({.time_width = 0}),
                    "models::conv_unet: time_width must lie in [1, 65536], got 0");
  conv_unet<cpu_engine> model;
  CHECK_THROWS_WITH(model.build({{16, 18, 1}, 0}),
                    "models::conv_unet: height and width must be multiples of 4, got 16 by 18");
  CHECK_THROWS_WITH(model.build({{64}, 0}),
                    "models::conv_unet needs a picture (height, width, channels), got a row of 64");
  model.build({{16, 16, 1}, 0});
  const std::vector<noise_level> levels{{0.8, 0.6, 1}};
  CHECK_THROWS_WITH(model.prepare(levels, 1, {16, 17, 1}),
                    "models::conv_unet: height and width must be multiples of 4, got 16 by 17");
  CHECK_THROWS_WITH(model.prepare(levels, 1, {16, 16, 2}),
                    "parameter_store: 'in.weight' needs shape (18, 16), got (9, 16)");
}
