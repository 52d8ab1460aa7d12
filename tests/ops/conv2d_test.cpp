// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/conv2d_bytes.hpp>
#include <anodiff/ops/conv2d_cpu.hpp>
#include "op_support.hpp"

namespace op_test::conv2d_test {

namespace {

using ops::conv2d_shape;

template <class T>
struct convolution {
  index n;
  conv2d_shape shape;
  std::vector<T> x, weight, bias, table, residual, y;
  std::vector<std::int32_t> level;
  convolution(index pictures, const conv2d_shape& s)
      : n{pictures},
        shape{s},
        x(values<T>(n * s.height * s.width * s.in, 1)),
        weight(values<T>(s.depth() * s.out, 2, 0.5)),
        bias(values<T>(s.out, 3)),
        table(values<T>(3 * s.out, 4)),
        residual(values<T>(n * s.out_pixels() * s.out, 5)),
        y(residual.size()),
        level(levels(n, 3)) {}
  template <class U>
  explicit convolution(const convolution<U>& from) : convolution{from.n, from.shape} {
    x = as<T>(from.x);
    weight = as<T>(from.weight);
    bias = as<T>(from.bias);
    table = as<T>(from.table);
    residual = as<T>(from.residual);
  }
  template <class Weight>
  [[nodiscard]] ops::conv2d_forward<T, Weight> forward(Weight w, bool all_parts = true) {
    return {.x = x.data(),
            .weight = w,
            .bias = all_parts ? bias.data() : nullptr,
            .table = all_parts ? table.data() : nullptr,
            .level = level.data(),
            .residual = all_parts ? residual.data() : nullptr,
            .y = y.data(),
            .n = n,
            .shape = shape};
  }
  [[nodiscard]] auto forward() { return forward(static_cast<const T*>(weight.data())); }
  /// dweight, dbias and dx, one after another; all start at 0.25.
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool accumulate, Run&& run) const {
    std::vector<T> all(weight.size() + bias.size() + x.size(), T(0.25));
    run(ops::conv2d_backward<T>{.x = x.data(),
                                .weight = weight.data(),
                                .dy = dy.data(),
                                .dweight = all.data(),
                                .dbias = all.data() + weight.size(),
                                .dx = all.data() + weight.size() + bias.size(),
                                .accumulate = accumulate,
                                .n = n,
                                .shape = shape});
    return all;
  }
};

/// Runs with as much scratch as the operation asks for.
template <class Operation>
void on_cpu(Operation op, thread_pool& on) {
  using T = std::remove_pointer_t<decltype(op.scratch)>;
  aligned_vector<T> memory(static_cast<std::size_t>(ops::cpu::scratch(op, on)));
  op.scratch = memory.data();
  ops::cpu::run(op, on);
}

std::vector<conv2d_shape> shapes() {
  return {
      {.height = 1, .width = 1, .in = 1, .out = 1},
      {.height = 5, .width = 7, .in = 3, .out = 16},
      {.height = 8, .width = 8, .in = 33, .out = 48},
      {.height = 4, .width = 4, .in = 16, .out = 97},
      {.height = 9, .width = 61, .in = 5, .out = 3},
      {.height = 130, .width = 50, .in = 17, .out = 17},  // more than one patch, more than one slab
      {.height = 14, .width = 21, .in = 64, .out = 64},   // tiles of four that stick out
      {.height = 16, .width = 12, .in = 130, .out = 75},
      {.height = 14, .width = 13, .in = 64, .out = 64, .same_everywhere = true},
      {.height = 8, .width = 6, .in = 12, .out = 20, .stride = 2},
      {.height = 7, .width = 9, .in = 4, .out = 33, .stride = 2},
      {.height = 8, .width = 6, .in = 12, .out = 20, .stride = 2, .before = 0, .after = 1},
      {.height = 6, .width = 5, .in = 19, .out = 34, .kernel = 1, .before = 0, .after = 0},
      {.height = 6, .width = 5, .in = 3, .out = 4, .kernel = 1, .stride = 2, .before = 0, .after = 0},
      {.height = 6, .width = 7, .in = 2, .out = 3, .kernel = 5, .before = 2, .after = 2},
      {.height = 6, .width = 7, .in = 2, .out = 3, .stride = 3, .before = 0, .after = 0},
  };
}

}  // namespace

TEST_CASE("a convolution by hand", "[conv2d]") {
  convolution<double> c{1, {.height = 3, .width = 3, .in = 1, .out = 1}};
  c.x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  c.weight = {0, 0, 0, 0, 1, 10, 0, 100, 1000};  // itself, right, below, below right
  ops::reference::run(c.forward(static_cast<const double*>(c.weight.data()), false));
  CHECK(c.y == std::vector<double>{5421, 6532, 603, 8754, 9865, 906, 87, 98, 9});
  // diffusers' halving: one row of zeros below and one column right, the window starts on the picture
  convolution<double> half{1, {.height = 2, .width = 2, .in = 1, .out = 1, .stride = 2, .before = 0, .after = 1}};
  half.x = {1, 2, 3, 4};
  half.weight = {1, 10, 7, 100, 1000, 7, 7, 7, 7};
  ops::reference::run(half.forward(static_cast<const double*>(half.weight.data()), false));
  CHECK(half.y == std::vector<double>{4321});
}

TEMPLATE_TEST_CASE("the vectorised convolution matches its reference", "[conv2d]", float, double) {
  for (const auto& s : shapes())
    for (const index n : {0, 1, 5}) {
      if (s.height > 100 && n > 1) continue;
      CAPTURE(s.height, s.width, s.in, s.out, s.kernel, s.stride, n);
      const bool fast = ops::cpu::uses_winograd(s);
      const double single = fast ? ops::conv2d_fast_bound : ops::conv2d_bound;
      const double bound = sizeof(TestType) == 4 ? single : fast ? 1e-11 : 1e-13;
      convolution<TestType> c{n, s};
      convolution<double> exact{c};
      ops::reference::run(exact.forward());
      const auto loose = on_all_pools([&](thread_pool& on) {
        on_cpu(c.forward(), on);
        return c.y;
      });
      CHECK(worst(loose, exact.y) <= bound);
      ops::cpu::packed_matrix<TestType> packed{ops::cpu::packed_rows(s), s.out};
      if (ops::cpu::uses_winograd(s)) {
        std::vector<TestType> transformed(static_cast<std::size_t>(packed.k() * s.out));
        ops::cpu::winograd_weights(c.weight.data(), s.in, s.out, transformed.data());
        packed.pack({transformed.data(), s.out, 1});
      } else {
        packed.pack({c.weight.data(), s.out, 1});
      }
      const auto same = on_all_pools([&](thread_pool& on) {
        on_cpu(c.forward(static_cast<const ops::cpu::packed_matrix<TestType>*>(&packed)), on);
        return c.y;
      });
      CHECK(same_bits(loose, same));

      const auto dy = values<TestType>(static_cast<index>(c.y.size()), 6);
      for (const bool accumulate : {false, true}) {
        const auto want = exact.gradients(as<double>(dy), accumulate, [](const auto& op) { ops::reference::run(op); });
        const auto got = on_all_pools(
            [&](thread_pool& on) { return c.gradients(dy, accumulate, [&](const auto& op) { on_cpu(op, on); }); });
        CHECK(worst(got, want, std::sqrt(1.0 + static_cast<double>(n * s.out_pixels()))) <= bound);
      }
    }
}

TEST_CASE("gradients of the convolution match central differences", "[conv2d]") {
  for (const auto& s : shapes()) {
    if (s.height > 100 || s.in * s.out > 100) continue;
    CAPTURE(s.height, s.width, s.in, s.out, s.kernel, s.stride);
    convolution<double> c{2, s};
    const auto dy = values<double>(static_cast<index>(c.y.size()), 6);
    const auto loss = [&] {
      ops::reference::run(c.forward());
      return dot(c.y, dy);
    };
    auto all = c.gradients(dy, true, [](const auto& op) { ops::reference::run(op); });
    for (double& g : all) g -= 0.25;
    const auto weights = all.begin() + static_cast<index>(c.weight.size());
    const auto biases = weights + static_cast<index>(c.bias.size());
    CHECK(gradient_error(c.weight, {all.begin(), weights}, loss) < 1e-7);
    CHECK(gradient_error(c.bias, {weights, biases}, loss) < 1e-7);
    CHECK(gradient_error(c.x, {biases, all.end()}, loss) < 1e-7);
  }
}

TEST_CASE("a picture's convolution does not depend on the pictures beside it", "[conv2d]") {
  for (const auto& s : shapes()) {
    CAPTURE(s.height, s.width, s.in, s.out, s.kernel, s.stride);
    convolution<float> many{6, s};
    on_cpu(many.forward(), pool(3));
    const auto dy = values<float>(static_cast<index>(many.y.size()), 6);
    const auto dx_of = [](const convolution<float>& c, const std::vector<float>& from) {
      auto all = c.gradients(from, false, [](const auto& op) { on_cpu(op, pool(2)); });
      return std::vector<float>(all.end() - static_cast<index>(c.x.size()), all.end());
    };
    const auto dx = dx_of(many, dy);
    const index in = s.height * s.width * s.in, out = s.out_pixels() * s.out;
    for (index i = 0; i < 6; i += 5) {
      convolution<float> one{1, s};
      one.x = rows_of(many.x, in, i, i + 1);
      one.residual = rows_of(many.residual, out, i, i + 1);
      one.level = {many.level[static_cast<std::size_t>(i)]};
      on_cpu(one.forward(), pool(1));
      CHECK(same_bits(one.y, rows_of(many.y, out, i, i + 1)));
      CHECK(same_bits(dx_of(one, rows_of(dy, out, i, i + 1)), rows_of(dx, in, i, i + 1)));
    }
  }
}

TEST_CASE("the fast convolution rounds a few times as much as the plain one", "[conv2d]") {
  conv2d_shape s{.height = 16, .width = 16, .in = 256, .out = 32};
  REQUIRE(ops::cpu::uses_winograd(s));
  double error[2];
  for (const bool plain : {false, true}) {
    s.same_everywhere = plain;
    CHECK(ops::cpu::uses_winograd(s) != plain);
    convolution<float> c{1, s};
    convolution<double> exact{c};
    ops::reference::run(exact.forward());
    on_cpu(c.forward(), pool(2));
    double square = 0, size = 0;
    for (std::size_t i = 0; i < c.y.size(); ++i) {
      square += std::pow(static_cast<double>(c.y[i]) - exact.y[i], 2);
      size += std::pow(exact.y[i], 2);
    }
    error[plain ? 1 : 0] = std::sqrt(square / size);
  }
  CHECK(error[0] < 6e-6);
  CHECK(error[0] < 10 * error[1]);
}

TEST_CASE("a pixel's convolution does not depend on the size of the picture", "[conv2d]") {
  const index in = 32, out = 33;
  const conv2d_shape whole{.height = 70, .width = 101, .in = in, .out = out, .same_everywhere = true};
  const conv2d_shape part{.height = 20, .width = 13, .in = in, .out = out, .same_everywhere = true};
  convolution<float> large{1, whole}, small{1, part};
  for (index i = 0; i < 20; ++i)
    std::copy_n(large.x.begin() + ((30 + i) * 101 + 51) * in, 13 * in, small.x.begin() + i * 13 * in);
  on_cpu(large.forward(static_cast<const float*>(large.weight.data()), false), pool(2));
  on_cpu(small.forward(static_cast<const float*>(small.weight.data()), false), pool(1));
  bool same = true;
  for (index i = 1; i < 19; ++i)
    same = same && std::equal(small.y.begin() + (i * 13 + 1) * out, small.y.begin() + (i * 13 + 12) * out,
                              large.y.begin() + ((30 + i) * 101 + 52) * out);
  CHECK(same);
}

TEST_CASE("a convolution in bytes is exact in its whole numbers, and near the float one as its bound says",
          "[conv2d]") {
  for (const conv2d_shape& s :
       {conv2d_shape{.height = 5, .width = 7, .in = 16, .out = 5},
        conv2d_shape{.height = 9, .width = 50, .in = 20, .out = 33, .stride = 2, .before = 0},
        conv2d_shape{.height = 3, .width = 13, .in = 64, .out = 40, .kernel = 1, .before = 0, .after = 0}}) {
    convolution<float> c{3, s};
    for (std::size_t i = 0; i < c.x.size() / 3; ++i) c.x[i] *= 40;  // pictures with scales of their own
    ops::reference::run_in_bytes(c.forward());
    const auto want = c.y;
    ops::cpu::packed_matrix<float> weight{ops::cpu::byte_matrix{s.depth(), s.out}};
    weight.in_bytes().pack(c.weight.data());
    const auto got = on_all_pools([&](thread_pool& on) {
      on_cpu(c.forward(static_cast<const ops::cpu::packed_matrix<float>*>(&weight)), on);
      return c.y;
    });
    CHECK(worst(got, want) <= 2e-6);
    ops::reference::run(c.forward());
    const auto apart = [&](std::size_t picture) {
      const std::size_t size = c.y.size() / 3;
      double most = 0;
      for (std::size_t i = picture * size; i < (picture + 1) * size; ++i)
        most = std::max(most, std::abs(static_cast<double>(got[i]) - static_cast<double>(c.y[i])));
      return most;
    };
    const auto places = static_cast<double>(s.depth());
    CHECK(apart(0) <= ops::conv2d_bytes_bound(80, 80 * places, 1, places, places));
    CHECK(apart(1) <= ops::conv2d_bytes_bound(2, 2 * places, 1, places, places));
    CHECK(apart(1) > 1e-4);
  }
}

TEST_CASE("a convolution in bytes keeps zeros, and what is not a number", "[conv2d]") {
  const conv2d_shape s{.height = 4, .width = 4, .in = 16, .out = 3};
  convolution<float> c{2, s};
  std::fill(c.x.begin(), c.x.end(), 0.0F);
  c.x[5] = std::nanf("");
  ops::cpu::packed_matrix<float> weight{ops::cpu::byte_matrix{s.depth(), s.out}};
  weight.in_bytes().pack(c.weight.data());
  on_cpu(c.forward(static_cast<const ops::cpu::packed_matrix<float>*>(&weight), false), pool(1));
  for (std::size_t i = 0; i < c.y.size(); ++i) CHECK((i < c.y.size() / 2 ? std::isnan(c.y[i]) : c.y[i] == 0));
}

}  // namespace op_test::conv2d_test
