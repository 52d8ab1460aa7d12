// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/diffusers_unet.hpp>
#include <anodiff/models/unet2d.hpp>
#include "laws/denoiser_laws.hpp"
#include "support/diffusers_fixtures.hpp"

// Networks of tests/io/data/diffusers_networks.json: small ones of every block and option, with closed-form weights,
// run by diffusers.

using namespace anodiff;
using laws_index = laws::index;

namespace {

io::diffusers_unet read(const formats::json& config) { return io::read_diffusers_unet({config, "config"}); }

}  // namespace

TEST_CASE("unet2d: every block and option gives what diffusers gives", "[models][golden]") {
  double worst = 0;
  const auto networks = diffusers_fixtures::networks();
  for (const auto& [name, fixture] : networks.members()) {
    INFO(name);
    const auto unet = read(fixture.at("config"));
    models::unet2d<cpu_engine> model{unet.params, cpu_engine{1}};
    const auto height = fixture.at("height").integer(), width = fixture.at("width").integer();
    model.build({{height, width, unet.in_channels}, 0});
    diffusers_fixtures::fill(model.store());
    const double error = diffusers_fixtures::largest_difference(model, fixture, unet.in_channels);
    CHECK(error < 1e-4);
    worst = std::max(worst, error);
  }
  WARN("outputs of diffusers within " << worst);
}

namespace {

/// Tensors and parameters of a network of that config, without any memory for them.
std::pair<std::size_t, laws_index> measured(const char* config, laws_index side) {
  const auto unet = read(formats::parse_json(config));
  const auto sizes = models::unet2d<cpu_engine>{unet.params}.sketch({{side, side, unet.in_channels}, 0});
  laws_index sum = 0;
  for (const auto& p : sizes.list()) sum += p.count();
  return {sizes.list().size(), sum};
}

}  // namespace

TEST_CASE("unet2d: the sizes of three published networks", "[models][golden]") {
  CHECK(measured(R"({"block_out_channels": [128, 256, 256, 256], "attention_head_dim": null,
                     "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
                     "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]})",
                 32) == std::pair<std::size_t, laws_index>{328, 35'746'307});
  CHECK(measured(R"({"block_out_channels": [128, 128, 256, 256, 512, 512], "attention_head_dim": null,
                     "down_block_types": ["DownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D",
                                          "AttnDownBlock2D", "DownBlock2D"],
                     "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D",
                                        "UpBlock2D"]})",
                 256) == std::pair<std::size_t, laws_index>{450, 113'673'219});
  CHECK(measured(R"({"block_out_channels": [128, 128, 256, 256, 256, 256, 256], "attention_head_dim": null,
                     "time_embedding_type": "fourier",
                     "down_block_types": ["SkipDownBlock2D", "SkipDownBlock2D", "SkipDownBlock2D", "SkipDownBlock2D",
                                          "AttnSkipDownBlock2D", "SkipDownBlock2D", "SkipDownBlock2D"],
                     "up_block_types": ["SkipUpBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D",
                                        "SkipUpBlock2D", "SkipUpBlock2D", "SkipUpBlock2D"]})",
                 256) == std::pair<std::size_t, laws_index>{645, 65'574'549});
}

namespace {

using models::unet2d_block;
using models::unet2d_params;

/// Three small networks that between them have every block.
std::vector<unet2d_params> small_networks() {
  unet2d_params plain{.channels = {2, 4},
                      .down = {unet2d_block::plain, unet2d_block::attention},
                      .up = {unet2d_block::attention, unet2d_block::plain}};
  plain.norm_groups = 2;
  plain.head_width = 2;
  plain.time_width = 3;
  auto shifted = plain;
  shifted.down = shifted.up = {unet2d_block::resnet, unet2d_block::attention};
  std::swap(shifted.up[0], shifted.up[1]);
  shifted.scale_shift = true;
  shifted.down_resize = shifted.up_resize = models::unet2d_resize::resnet;
  shifted.out_channels = 2;
  shifted.centre_input = true;
  shifted.middle_divisor = 2;
  auto skips = plain;
  skips.channels = {4, 4};
  skips.down = {unet2d_block::skip, unet2d_block::plain};
  skips.up = {unet2d_block::plain, unet2d_block::skip};
  skips.middle_attention = false;
  skips.pad_both_sides = false;
  return {plain, shifted, skips};
}

}  // namespace

TEST_CASE("unet2d: a policy", "[models]") {
  for (const auto& p : small_networks()) laws::check_policy<models::unet2d_architecture>(p);
  laws::check_policy<models::unet2d<cpu_engine>>();
}

TEST_CASE("unet2d: gradients of the whole network", "[models][gradients]") {
  for (const auto& p : small_networks()) {
    const models::unet2d_architecture net{p};
    laws::check_network(
        [&](auto& t, nn::value x, nn::value features) {
          t.set_image(x, {2, 4, 3});
          return net.forward(t, x, features);
        },
        2, 24, 2, net.time_features(), 1e-6);
  }
}

TEST_CASE("unet2d: the laws of a denoiser", "[models][laws]") {
  const auto networks = small_networks();
  laws::check_denoiser<models::unet2d_architecture>(networks[0], {4, 6, 1});
  laws::check_denoiser<models::unet2d_architecture>(networks[2], {4, 2, 3});
  laws::check_denoiser<models::unet2d_architecture>({}, {8, 8, 1});
}

TEST_CASE("unet2d: stored and read back", "[models]") {
  for (auto p : small_networks()) {
    p.out_channels = 0;
    laws::check_storage<models::unet2d_architecture>(p, {2, 4, 3});
  }
}

TEST_CASE("unet2d: a class for each level, or one for all", "[models]") {
  auto p = small_networks()[0];
  p.classes = models::unet2d_class::table;
  p.class_count = 3;
  models::unet2d<cpu_engine> model{p, cpu_engine{1}};
  model.build({{4, 4, 1}, 1});
  const std::vector<noise_level> levels{{1, 1, 5}, {1, 1, 5}};
  const std::vector<std::int32_t> level{0, 1};
  const std::vector<float> x(32, 0.5F);
  const auto outputs = [&](std::vector<double> told) {
    auto run = model.with(model.architecture().with_class(std::move(told))).prepare(levels, 2);
    const float* out = run.output(x.data(), level.data(), 2);
    return std::vector<float>{out, out + 32};
  };
  const auto both = outputs({2, 0}), all = outputs({2});
  CHECK(std::equal(both.begin(), both.begin() + 16, all.begin()));
  CHECK(std::equal(all.begin(), all.begin() + 16, all.begin() + 16));
  CHECK_FALSE(std::equal(both.begin() + 16, both.end(), all.begin() + 16));
  CHECK_THROWS_WITH(model.prepare(levels, 1), Catch::StartsWith("models::unet2d: needs one class"));
  CHECK_THROWS_WITH(outputs({3}), "models::unet2d: a class must be a whole number in [0, 3), got 3");
}

TEST_CASE("unet2d: what cannot be is refused, and why", "[models]") {
  const auto refused = [](auto change, std::vector<laws_index> sample, const std::string& words) {
    auto p = small_networks()[0];
    change(p);
    CHECK_THROWS_WITH(models::unet2d<cpu_engine>{p}.sketch({std::move(sample), 0}), words);
  };
  refused([](auto&) {}, {3, 4, 1}, "models::unet2d: height and width must be multiples of 2, got 3 by 4");
  refused([](auto&) {}, {4}, "models::unet2d needs a picture (height, width, channels), got a row of 4");
  refused([](auto& p) { p.layers = 0; }, {4, 4, 1}, "models::unet2d: layers must lie in [1, 64], got 0");
  refused([](auto& p) { p.up.pop_back(); }, {4, 4, 1},
          "models::unet2d: channels, down and up need one element for each resolution, got 2, 2 and 1");
  refused([](auto& p) { p.head_width = 8; }, {4, 4, 1},
          "models::unet2d: attention 'down_blocks.1.attentions.0' needs at least head_width = 8 channels, got 4");
  refused([](auto& p) { p.norm_groups = 3; }, {4, 4, 1},
          "nn::group_norm: the groups of 'down_blocks.0.resnets.0.norm1' must divide its 2 channels, got 3");
  refused([](auto& p) { p.down[0] = unet2d_block::skip; }, {4, 4, 1},
          "models::unet2d: skip blocks need pictures of 3 channels, got 1");
  refused([](auto& p) { p.up[0] = unet2d_block::skip; }, {4, 4, 3},
          "models::unet2d: after a skip block on the way up all must be, got plain at place 2");
}
