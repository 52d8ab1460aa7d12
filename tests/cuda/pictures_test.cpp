// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/affine.cuh>
#include <anodiff/ops/fir_resample.cuh>
#include <anodiff/ops/group_norm.cuh>
#include <anodiff/ops/resample.cuh>
#include <anodiff/ops/transposed.cuh>
#include "../support/cuda_test.hpp"
#include "../support/plain_convolution.hpp"

namespace cuda_test::pictures_test {

TEMPLATE_TEST_CASE("group normalisation matches its reference", "[cuda][group_norm]", float, device::bfloat16) {
  if (!device_ready()) return;
  struct extents {
    index n, pixels, channels, groups;
  };
  for (const auto& [n, pixels, channels, groups] :
       {extents{1, 1, 2, 1}, extents{2, 9, 6, 3}, extents{1, 49, 16, 2}, extents{2, 300, 8, 2}, extents{1, 8200, 6, 1}})
    for (const bool with_table : {false, true}) {
      if ((few_threads && !(pixels == 9 && with_table)) || (slow && pixels == 8200)) continue;
      CAPTURE(n, pixels, channels, groups, with_table);
      const auto x = inputs<TestType>(n * pixels * channels, 1, 0.5, 2), gain = inputs<TestType>(channels, 2),
                 bias = inputs<TestType>(channels, 3), table = inputs<TestType>(6 * channels, 4);
      const std::vector<std::int32_t> level{2, 1};
      const std::size_t shift = channels == 16 ? 1 : 0;  // no aligned address
      auto shifted_table = table;
      shifted_table.insert(shifted_table.begin(), shift, 0.0);
      const auto fill = [&](auto op) {
        op.n = n, op.pixels = pixels, op.channels = channels, op.groups = groups;
        op.kind = ops::activation::silu;
        return op;
      };
      const auto got = in_every_order([&] {
        device_array<TestType> dx(elements<TestType>(x)), dgain(elements<TestType>(gain)),
            dbias(elements<TestType>(bias)), dtable(elements<TestType>(shifted_table)), mean(n * groups),
            inverse(n * groups);
        device_array<std::int32_t> dlevel(level);
        auto op = fill(ops::group_norm_forward<TestType>{});
        op.x = op.y = dx.data();
        op.gain = dgain.data(), op.bias = dbias.data(), op.mean = mean.data(), op.inverse = inverse.data();
        if (with_table) op.table = dtable.data() + shift, op.level = dlevel.data();
        ops::cuda::run(op, stream);
        auto out = dx.host();
        const auto more = mean.host();
        out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> y(x.size()), mean(static_cast<std::size_t>(n * groups));
      auto op = fill(ops::group_norm_forward<double>{});
      op.x = x.data(), op.gain = gain.data(), op.bias = bias.data(), op.y = y.data(), op.mean = mean.data();
      if (with_table) op.table = table.data(), op.level = level.data();
      ops::reference::run(op);
      y.insert(y.end(), mean.begin(), mean.end());
      CHECK(worst(values_of(got), y) <= 2 * ops::cuda::group_norm_bound + rounding<TestType>);
    }
}

namespace {

/// Small pictures enlarged by one operation and large ones reduced by the other, written or added, to within `bound`.
template <template <class> class Enlarge, template <class> class Reduce>
void check_resampling(float enlarged, float reduced, double bound) {
  for (const index channels : {1, 3, 100})
    for (const bool accumulate : {false, true}) {
      CAPTURE(channels, accumulate);
      const index n = 2, height = 3, width = 5, size = n * height * width * channels;
      const auto small = inputs<float>(size, 1), large = inputs<float>(4 * size, 2);
      const auto got = in_every_order([&] {
        device_array<float> s(elements<float>(small)), l(elements<float>(large)), up(elements<float>(large)),
            down(elements<float>(small));
        ops::cuda::run(Enlarge<float>{s.data(), up.data(), n, height, width, channels, enlarged, accumulate}, stream);
        ops::cuda::run(Reduce<float>{l.data(), down.data(), n, height, width, channels, reduced, accumulate}, stream);
        auto out = up.host();
        const auto more = down.host();
        out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      auto up = large, down = small;
      ops::reference::run(Enlarge<double>{small.data(), up.data(), n, height, width, channels,
                                          static_cast<double>(enlarged), accumulate});
      ops::reference::run(Reduce<double>{large.data(), down.data(), n, height, width, channels,
                                         static_cast<double>(reduced), accumulate});
      up.insert(up.end(), down.begin(), down.end());
      CHECK(worst(got, up) <= bound);
    }
}

}  // namespace

TEST_CASE("pictures are enlarged and reduced on the device", "[cuda][resample]") {
  if (!device_ready() || few_threads) return;
  check_resampling<ops::enlarge, ops::reduce>(0.5F, 0.25F, 3e-7);
}

TEST_CASE("pictures are smoothed while they are enlarged or reduced", "[cuda][resample]") {
  if (!device_ready() || few_threads) return;
  check_resampling<ops::fir_enlarge, ops::fir_reduce>(1.0F / 16, 1.0F / 64, 4e-7);  // sums of 16
}

TEST_CASE("rows are scaled by their level and moved on the device", "[cuda][affine]") {
  if (!device_ready()) return;
  for (const auto& [rows, row_size] : row_shapes())
    for (const int parts : {0, 1, 2, 3}) {  // a factor; added to
      if (few_threads && parts != 3) continue;
      CAPTURE(rows, row_size, parts);
      const bool scaled = (parts & 1) != 0, accumulate = (parts & 2) != 0;
      const auto x = inputs<float>(rows * row_size, 1), factor = inputs<float>(3, 2),
                 to = inputs<float>(rows * row_size, 3);
      const auto level = levels(rows, 3);
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_factor(elements<float>(factor)), y(elements<float>(to));
        device_array<std::int32_t> on_level(level);
        ops::cuda::run(ops::affine<float>{on_x.data(), y.data(), rows, row_size, 2, -0.5F,
                                          scaled ? on_factor.data() : nullptr, on_level.data(), accumulate},
                       stream);
        return y.host();
      });
      auto want = to;
      ops::reference::run(ops::affine<double>{x.data(), want.data(), rows, row_size, 2, -0.5,
                                              scaled ? factor.data() : nullptr, level.data(), accumulate});
      CHECK(worst(got, want) <= 4e-7);
    }
}

TEST_CASE("gradients of group normalisation match their reference", "[cuda][group_norm]") {
  if (!device_ready()) return;
  struct extents {
    index n, pixels, channels, groups;
  };
  for (const auto& [count, pixels, channels, groups] :
       {extents{1, 1, 2, 1}, extents{3, 9, 6, 3}, extents{2, 49, 40, 2}, extents{1, 300, 8, 8}})
    for (const int parts : {0, 1, 2, 3}) {  // a table; dx added to
      if (few_threads && !(channels == 6 && parts == 3)) continue;
      const index n = few_threads ? 1 : count;
      CAPTURE(n, pixels, channels, groups, parts);
      const auto x = inputs<float>(n * pixels * channels, 1, 0.5, 1), dy = inputs<float>(n * pixels * channels, 2),
                 gain = inputs<float>(channels, 3), bias = inputs<float>(channels, 4),
                 table = inputs<float>(6 * channels, 5, 0.3), dx = inputs<float>(n * pixels * channels, 6),
                 started = inputs<float>(2 * channels, 7);
      const std::vector<std::int32_t> level{2, 1, 2};
      std::vector<double> mean(static_cast<std::size_t>(n * groups)), inverse(mean), y(x.size());
      ops::group_norm_forward<double> forward{};
      forward.x = x.data(), forward.gain = gain.data(), forward.bias = bias.data(), forward.y = y.data();
      forward.mean = mean.data(), forward.inverse = inverse.data();
      forward.n = n, forward.pixels = pixels, forward.channels = channels, forward.groups = groups;
      ops::reference::run(forward);
      const auto fill = [&](auto op) {
        op.n = n, op.pixels = pixels, op.channels = channels, op.groups = groups;
        op.kind = ops::activation::silu, op.accumulate = (parts & 2) != 0;
        return op;
      };
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_dy(elements<float>(dy)), on_gain(elements<float>(gain)),
            on_bias(elements<float>(bias)), on_table(elements<float>(table)), on_mean(elements<float>(mean)),
            on_inverse(elements<float>(inverse)), on_dx(elements<float>(dx)), sums(2 * n * channels, NAN),
            slopes(elements<float>(started));
        device_array<std::int32_t> on_level(level);
        auto op = fill(ops::group_norm_backward<float>{});
        op.x = on_x.data(), op.dy = on_dy.data(), op.gain = on_gain.data(), op.bias = on_bias.data();
        op.mean = on_mean.data(), op.inverse = on_inverse.data(), op.sums = sums.data(), op.dx = on_dx.data();
        op.dgain = slopes.data(), op.dbias = slopes.data() + channels;
        if ((parts & 1) != 0) op.table = on_table.data(), op.level = on_level.data();
        ops::cuda::run(op, stream);
        auto out = on_dx.host();
        for (const auto& more : {sums.host(), slopes.host()}) out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      auto want = dx, slopes = started;
      std::vector<double> sums(static_cast<std::size_t>(2 * n * channels));
      auto op = fill(ops::group_norm_backward<double>{});
      op.x = x.data(), op.dy = dy.data(), op.gain = gain.data(), op.bias = bias.data();
      op.mean = mean.data(), op.inverse = inverse.data(), op.sums = sums.data(), op.dx = want.data();
      op.dgain = slopes.data(), op.dbias = slopes.data() + channels;
      if ((parts & 1) != 0) op.table = table.data(), op.level = level.data();
      ops::reference::run(op);
      for (const auto& more : {sums, slopes}) want.insert(want.end(), more.begin(), more.end());
      if (pixels * channels / groups == 2) continue;  // two elements: gradients of 1 / √ε, which the mean's bits decide
      CHECK(worst(got, want) <= ops::cuda::group_norm_gradient_bound);
    }
}

TEST_CASE("a convolution on the device and its gradients match their reference", "[cuda][conv2d]") {
  if (!device_ready() || few_threads) return;
  struct how {
    bool some, all, library;  ///< bias and residual; a table, and gradients added to; not unfolded where it need not be
  };
  const auto unfolding = test::network_engine(), convolving = test::convolving_engine();
  const ops::conv2d_shape plain{.height = 5, .width = 4, .in = 3, .out = 6};
  auto wide = plain, halving = plain, below = plain, pointwise = plain, alike = plain;
  wide.in = 8, wide.kernel = 5, wide.before = wide.after = 2;
  halving.stride = 2;
  below.stride = 2, below.before = 0;
  pointwise.kernel = 1, pointwise.before = pointwise.after = 0;
  alike.same_everywhere = true;  // which nobody but the unfolding has a way for
  for (const auto& shape : {plain, wide, halving, below, pointwise, alike})
    for (const auto& [some, all, library] : {how{false, false, false}, how{true, true, false}, how{false, false, true},
                                             how{true, false, true}, how{true, true, true}}) {
      if (library && !test::convolves) continue;
      const auto& engine = library ? convolving : unfolding;
      CAPTURE(shape.in, shape.kernel, shape.stride, shape.before, some, all, library);
      const index n = 3, x_size = n * shape.height * shape.width * shape.in,
                  y_size = n * shape.out_pixels() * shape.out, w_size = shape.depth() * shape.out;
      const auto x = inputs<float>(x_size, 1), weight = inputs<float>(w_size, 2, 0.2),
                 bias = inputs<float>(shape.out, 3), table = inputs<float>(4 * shape.out, 4),
                 residual = inputs<float>(y_size, 5), dy = inputs<float>(y_size, 6),
                 started = inputs<float>(x_size + w_size + shape.out, 7);
      const std::vector<std::int32_t> level{3, 0, 3};
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_weight(elements<float>(weight)),
            on_bias(elements<float>(bias)), on_table(elements<float>(table)), on_residual(elements<float>(residual)),
            on_dy(elements<float>(dy)), y(y_size, NAN), gradients(elements<float>(started));
        device_array<std::int32_t> on_level(level);
        ops::conv2d_forward<float> op{};
        op.x = on_x.data(), op.weight = on_weight.data(), op.y = y.data(), op.n = n, op.shape = shape;
        if (some) op.bias = on_bias.data(), op.residual = on_residual.data();
        if (all) op.table = on_table.data(), op.level = on_level.data();
        CHECK((engine.scratch(op) == 0) == (library || shape.is_pointwise()));
        const auto scratch = engine.allocate(engine.scratch(op));
        op.scratch = scratch.data();
        engine.run(op);
        ops::conv2d_backward<float> back{};
        back.x = on_x.data(), back.weight = on_weight.data(), back.dy = on_dy.data(), back.dx = gradients.data();
        back.dweight = gradients.data() + x_size, back.dbias = gradients.data() + x_size + w_size;
        back.accumulate = all, back.n = n, back.shape = shape, back.scratch = scratch.data();
        engine.run(back);
        engine.wait();
        auto out = y.host();
        const auto more = gradients.host();
        out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> want(static_cast<std::size_t>(y_size)), gradients = started;
      ops::conv2d_forward<double> op{};
      op.x = x.data(), op.weight = weight.data(), op.y = want.data(), op.n = n, op.shape = shape;
      if (some) op.bias = bias.data(), op.residual = residual.data();
      if (all) op.table = table.data(), op.level = level.data();
      ops::reference::run(op);
      ops::conv2d_backward<double> back{};
      back.x = x.data(), back.weight = weight.data(), back.dy = dy.data(), back.dx = gradients.data();
      back.dweight = gradients.data() + x_size, back.dbias = gradients.data() + x_size + w_size;
      back.accumulate = all, back.n = n, back.shape = shape;
      ops::reference::run(back);
      want.insert(want.end(), gradients.begin(), gradients.end());
      CHECK(worst(got, want) <= ops::conv2d_bound);
    }
  CHECK(unfolding.unfolding_memory() == 0);
  if (test::convolves)  // asked for once, forward and backward
    CHECK(convolving.unfolding_memory() == unfolding.scratch(ops::conv2d_forward<float>{.n = 3, .shape = alike}));
}

TEST_CASE("a matrix on the device is transposed, or its transpose is added", "[cuda]") {
  if (!device_ready()) return;
  for (const auto& [rows, columns] : {std::pair<index, index>{1, 1}, {33, 5}, {32, 64}, {7, 70}}) {
    if (few_threads && rows != 33) continue;
    CAPTURE(rows, columns);
    const auto x = inputs<float>(rows * columns, 1), y = inputs<float>(rows * columns, 2);
    for (const bool add : {false, true}) {
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_y(elements<float>(y));
        ops::cuda::run(ops::cuda::transposed<float>{on_x.data(), on_y.data(), rows, columns, add}, stream);
        return on_y.host();
      });
      std::vector<double> want = y;
      for (index i = 0; i < rows; ++i)
        for (index j = 0; j < columns; ++j) {
          auto& to = want[static_cast<std::size_t>(j * rows + i)];
          to = (add ? to : 0) + x[static_cast<std::size_t>(i * columns + j)];
        }
      CHECK(worst(got, want) <= 1e-6);
    }
  }
}

TEST_CASE("channels are copied and pixels summed on the device", "[cuda][concat]") {
  if (!device_ready() || few_threads) return;
  const index n = 2, pixels = 9, channels = 5;
  const auto x = inputs<float>(n * pixels * channels, 1), to = inputs<float>(n * pixels * 8, 2);
  for (const bool accumulate : {false, true}) {
    const auto got = in_every_order([&] {
      device_array<float> on_x(elements<float>(x)), on_to(elements<float>(to)), sums(n * channels, NAN);
      ops::cuda::run(
          ops::copy_channels<float>{on_x.data() + 1, channels, on_to.data() + 2, 8, n * pixels, 4, accumulate}, stream);
      ops::cuda::run(ops::pixel_sums<float>{on_x.data(), sums.data(), n, pixels, channels}, stream);
      auto out = on_to.host();
      const auto more = sums.host();
      out.insert(out.end(), more.begin(), more.end());
      return out;
    });
    auto want = to;
    std::vector<double> sums(static_cast<std::size_t>(n * channels));
    ops::reference::run(
        ops::copy_channels<double>{x.data() + 1, channels, want.data() + 2, 8, n * pixels, 4, accumulate});
    ops::reference::run(ops::pixel_sums<double>{x.data(), sums.data(), n, pixels, channels});
    want.insert(want.end(), sums.begin(), sums.end());
    CHECK(worst(got, want) <= 2e-6);
  }
}

TEST_CASE("channels are scaled and shifted by level, and back", "[cuda][scale_shift]") {
  if (!device_ready()) return;
  struct extents {
    index n, pixels, channels;
  };
  for (const auto& [count, pixels, channels] : {extents{1, 1, 1}, extents{3, 9, 5}, extents{2, 70, 40}})
    for (const bool accumulate : {false, true}) {
      if (few_threads && !(channels == 5 && accumulate)) continue;
      const index n = few_threads ? 1 : count;
      CAPTURE(n, pixels, channels, accumulate);
      const index size = n * pixels * channels;
      const auto x = inputs<float>(size, 1), dy = inputs<float>(size, 2), table = inputs<float>(6 * channels, 3, 0.4),
                 started = inputs<float>(size, 4);
      const std::vector<std::int32_t> level{2, 0, 2};
      const auto fill = [&](auto op) {
        op.n = n, op.pixels = pixels, op.channels = channels, op.kind = ops::activation::silu;
        return op;
      };
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_dy(elements<float>(dy)), on_table(elements<float>(table)),
            y(size, NAN), dx(elements<float>(started)), sums(2 * n * channels, NAN);
        device_array<std::int32_t> on_level(level);
        auto op = fill(ops::scale_shift_forward<float>{});
        op.x = on_x.data(), op.table = on_table.data(), op.level = on_level.data(), op.y = y.data();
        ops::cuda::run(op, stream);
        auto back = fill(ops::scale_shift_backward<float>{});
        back.x = on_x.data(), back.dy = on_dy.data(), back.table = on_table.data(), back.level = on_level.data();
        back.sums = sums.data(), back.dx = dx.data(), back.accumulate = accumulate;
        ops::cuda::run(back, stream);
        auto out = y.host();
        for (const auto& more : {dx.host(), sums.host()}) out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> want(x.size()), sums(static_cast<std::size_t>(2 * n * channels));
      auto dx = started;
      auto op = fill(ops::scale_shift_forward<double>{});
      op.x = x.data(), op.table = table.data(), op.level = level.data(), op.y = want.data();
      ops::reference::run(op);
      auto back = fill(ops::scale_shift_backward<double>{});
      back.x = x.data(), back.dy = dy.data(), back.table = table.data(), back.level = level.data();
      back.sums = sums.data(), back.dx = dx.data(), back.accumulate = accumulate;
      ops::reference::run(back);
      for (const auto& more : {dx, sums}) want.insert(want.end(), more.begin(), more.end());
      CHECK(worst(got, want) <= ops::cuda::scale_shift_bound);
    }
}

}  // namespace cuda_test::pictures_test
