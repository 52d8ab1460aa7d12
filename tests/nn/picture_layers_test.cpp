// SPDX-License-Identifier: Apache-2.0
#include <anodiff/nn/affine.hpp>
#include <anodiff/nn/columns.hpp>
#include <anodiff/nn/conv2d.hpp>
#include <anodiff/nn/fir_resample.hpp>
#include <anodiff/nn/linear.hpp>
#include "laws/network_gradients.hpp"

using namespace anodiff;
using nn::value;

TEST_CASE("gradients of filtered sizes", "[nn][gradients]") {
  laws::check_network(
      [](auto& t, value x, value) {
        t.set_image(x, {4, 6, 2});
        const value small = nn::fir_downsample(t, nn::conv2d(t, "in", x, 2));
        CHECK(t.image(small) == nn::image_shape{2, 3, 2});
        return nn::fir_upsample(t, nn::conv2d(t, "small", small, 2, {.residual = small}));
      },
      3, 48, 2, 3);
}

TEST_CASE("gradients of affine rows and of columns", "[nn][gradients]") {
  std::array factors{0.5, -2.0};
  laws::check_network(
      [&](auto& t, value x, value features) {
        const value factor = t.input(nn::batch::levels, 1);
        t.bind(factor, factors.data());
        const value table = nn::linear(t, "table", nn::columns(t, features, 1, 2), 6);
        const value h = nn::linear(t, "in", x, 6, {.table = table});
        const value left = nn::columns(t, h, 0, 4), right = nn::columns(t, h, 2, 4);
        const value both = nn::linear(t, "out", nn::affine(t, left, {.scale = 3, .offset = 1}), 4, {.residual = right});
        return nn::affine(t, both, {.factor = factor});
      },
      3, 4, 2, 3);
}

TEST_CASE("affine rows, columns and filters refuse what does not fit", "[nn]") {
  nn::parameter_store<double> store;
  nn::tape<laws::double_engine> t{laws::double_engine{1}, store, nn::gradients::off};
  const value x = t.input(nn::batch::rows, nn::image_shape{3, 2, 2}), features = t.input(nn::batch::levels, 4);
  CHECK_THROWS_WITH(nn::columns(t, x, 10, 3), "nn::columns: needs columns [10, 13), got a value of 12");
  CHECK_THROWS_WITH(nn::fir_downsample(t, x), "nn::fir_downsample: needs an even height and width, got 3 by 2");
  CHECK_THROWS_WITH(nn::affine(t, x, {.factor = features}),
                    Catch::StartsWith("nn::affine: needs a factor of one column"));
}
