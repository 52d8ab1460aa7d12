// SPDX-License-Identifier: Apache-2.0
#include <anodiff/nn/activation.hpp>
#include <anodiff/nn/add.hpp>
#include <anodiff/nn/attention.hpp>
#include <anodiff/nn/concat.hpp>
#include <anodiff/nn/conv2d.hpp>
#include <anodiff/nn/group_norm.hpp>
#include <anodiff/nn/linear.hpp>
#include <anodiff/nn/resample.hpp>
#include <anodiff/nn/scale_shift.hpp>
#include "laws/network_gradients.hpp"

using namespace anodiff;
using nn::gradients;
using nn::value;

namespace {

/// Pictures of 4 by 6 pixels and 2 channels.
constexpr nn::image_shape picture{4, 6, 2};

template <class Layers>
auto on_pictures(Layers layers) {
  return [layers](auto& t, value x, value features) {
    t.set_image(x, picture);
    return layers(t, x, features);
  };
}

template <class Layers>
void check_layers(Layers layers) {
  laws::check_network(on_pictures(layers), 3, picture.size(), 2, 3);
}

}  // namespace

TEST_CASE("gradients of convolutions with all their parts", "[nn][gradients]") {
  check_layers([](auto& t, value x, value features) {
    const value table = nn::linear(t, "table", features, 3);
    const value h = nn::conv2d(t, "first", x, 3, {.table = table});
    return nn::conv2d(t, "second", nn::activate(t, h, ops::activation::silu), 3, {.table = table, .residual = h});
  });
  check_layers([](auto& t, value x, value) { return nn::conv2d(t, "dense", x, 5, {.kernel = 1}); });
}

TEST_CASE("gradients of a smaller and of a larger picture", "[nn][gradients]") {
  check_layers([](auto& t, value x, value features) {
    const value table = nn::linear(t, "table", features, 4);
    const value half = nn::conv2d(t, "half", x, 3, {.stride = 2});
    const value other = nn::conv2d(t, "other", x, 3, {.stride = 2, .zeros = nn::padding::below});
    const value mean = nn::scale_shift(t, nn::mean_pool(t, x), table, ops::activation::silu);
    const value joined = nn::concat_channels(t, nn::add(t, half, other, 0.5), mean);
    CHECK(t.image(joined, "test") == nn::image_shape{2, 3, 5});
    return nn::conv2d(t, "out", nn::concat_channels(t, nn::upsample(t, joined), x), 2);
  });
}

TEST_CASE("gradients of group normalisation, with and without scale and shift", "[nn][gradients]") {
  check_layers([](auto& t, value x, value features) {
    const value table = nn::linear(t, "table", features, 8);
    const value h = nn::group_norm(t, "a", nn::conv2d(t, "first", x, 4), {.groups = 2, .table = table});
    return nn::group_norm(t, "b", nn::conv2d(t, "second", h, 3),
                          {.groups = 1, .epsilon = 1e-3, .activation = ops::activation::silu});
  });
}

TEST_CASE("gradients of attention between pictures, and of a picture with itself", "[nn][gradients]") {
  check_layers([](auto& t, value x, value) {
    const value q = nn::conv2d(t, "q", x, 4, {.kernel = 1}), small = nn::mean_pool(t, x);
    const value k = nn::conv2d(t, "k", small, 4, {.kernel = 1}), v = nn::conv2d(t, "v", small, 4, {.kernel = 1});
    return nn::attention(t, nn::attention(t, q, k, v, 2), q, q, 1);
  });
}

TEST_CASE("layers over pictures refuse what does not fit", "[nn]") {
  nn::parameter_store<double> store;
  nn::tape<laws::double_engine> t{laws::double_engine{1}, store, gradients::off};
  const value row = t.input(nn::batch::rows, 12), features = t.input(nn::batch::levels, 4);
  const value x = t.input(nn::batch::rows, nn::image_shape{3, 2, 2}), y = t.input(nn::batch::rows, picture);
  CHECK_THROWS_WITH(nn::conv2d(t, "a", row, 3),
                    "nn::conv2d 'a' needs a picture (height, width, channels), got a row of 12");
  CHECK_THROWS_WITH(t.set_image(row, {2, 2, 2}), "tape: a value of width 12 cannot hold a picture of (2, 2, 2)");
  CHECK_THROWS_WITH(nn::conv2d(t, "a", x, 3, {.kernel = 2}),
                    "nn::conv2d: the kernel of 'a' must be odd and lie in [1, 15], got 2");
  CHECK_THROWS_WITH(nn::conv2d(t, "a", x, 3, {.stride = 0}), "nn::conv2d: the stride of 'a' must lie in [1, 8], got 0");
  CHECK_THROWS_WITH(nn::conv2d(t, "a", x, 3, {.table = features}),
                    "nn::conv2d: the table of 'a' needs 3 columns and a row for each noise level, got 4 and a row for "
                    "each noise level");
  CHECK_THROWS_WITH(nn::conv2d(t, "a", x, 3, {.residual = x}),
                    "nn::conv2d: the residual of 'a' needs 18 columns and a row for each sample, got 12 and a row for "
                    "each sample");
  CHECK_THROWS_WITH(nn::conv2d(t, "a", x, 3, {.kernel = 5, .zeros = nn::padding::below}),
                    "nn::conv2d: the window of 'a' needs 5 rows and columns, got a picture of 3 by 2");
  CHECK_THROWS_WITH(nn::mean_pool(t, x), "nn::mean_pool: needs an even height and width, got 3 by 2");
  CHECK_THROWS_WITH(nn::concat_channels(t, x, y),
                    "nn::concat_channels: needs two pictures of one size, got 3 by 2 for each sample and 4 by 6 for "
                    "each sample");
  CHECK_THROWS_WITH(nn::scale_shift(t, nn::conv2d(t, "b", y, 5), features),
                    "nn::scale_shift: the table needs 10 columns and a row for each noise level, got 4 and a row for "
                    "each noise level");
  CHECK_THROWS_WITH(nn::group_norm(t, "n", y, {.groups = 3}),
                    "nn::group_norm: the groups of 'n' must divide its 2 channels, got 3");
  CHECK_THROWS_WITH(nn::group_norm(t, "n", y, {.groups = 1, .epsilon = 0}),
                    "nn::group_norm: epsilon of 'n' must lie in (0, 1], got 0");
  CHECK_THROWS_WITH(
      nn::group_norm(t, "n", nn::conv2d(t, "b", y, 5), {.groups = 5, .table = features}),
      "nn::group_norm 'n': the table needs 10 columns and a row for each noise level, got 4 and a row for "
      "each noise level");
  CHECK_THROWS_WITH(nn::attention(t, y, y, x, 1),
                    "nn::attention: needs keys and values of one shape, and queries of their 2 channels, for each "
                    "sample; got 2 channels of values and 2 of queries");
  CHECK_THROWS_WITH(nn::attention(t, x, y, y, 3), "nn::attention: heads must divide 2 channels, got 3");
  CHECK_THROWS_WITH(nn::add(t, x, y),
                    "nn::add: needs two values of one shape, got 12 columns for each sample and 48 for each sample");
}

TEST_CASE("a tapped value outlives the memory that others share", "[nn]") {
  value inner;
  const auto record = on_pictures([&](auto& t, value x, value) {
    inner = nn::conv2d(t, "first", x, 2);
    t.tap(inner);
    value h = inner;
    for (int i = 0; i < 4; ++i) h = nn::conv2d(t, concat("more.", i), h, 2);
    return h;
  });
  laws::double_network off{record, gradients::off, 3, picture.size(), 1, 2};
  (void)off.forward();
  laws::double_network all{record, gradients::all, 3, picture.size(), 1, 2};
  (void)all.forward();
  REQUIRE(off.tape.taps().size() == 1);
  const value tapped = off.tape.taps()[0];
  CHECK(tapped.id == inner.id);
  CHECK(std::equal(off.tape.data(tapped), off.tape.data(tapped) + 3 * picture.size(), all.tape.data(tapped)));
}
