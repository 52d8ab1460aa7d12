// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/batch_norm_cpu.hpp>
#include "op_support.hpp"

namespace op_test::batch_norm_test {

namespace {

template <class T>
struct norm {
  index rows, width;
  bool training;
  std::vector<T> x, gain, bias, moving_mean, moving_variance, y, mean, inverse;
  norm(index n, index w, bool trains)
      : rows{n},
        width{w},
        training{trains},
        x(values<T>(n * w, 1, 1, 3)),
        gain(values<T>(w, 2)),
        bias(values<T>(w, 3)),
        moving_mean(values<T>(w, 4)),
        moving_variance(static_cast<std::size_t>(w), T(2)),
        y(x.size()),
        mean(gain.size()),
        inverse(gain.size()) {}
  template <class U>
  explicit norm(const norm<U>& from)
      : rows{from.rows},
        width{from.width},
        training{from.training},
        x(as<T>(from.x)),
        gain(as<T>(from.gain)),
        bias(as<T>(from.bias)),
        moving_mean(as<T>(from.moving_mean)),
        moving_variance(as<T>(from.moving_variance)),
        y(as<T>(from.y)),
        mean(as<T>(from.mean)),
        inverse(as<T>(from.inverse)) {}
  [[nodiscard]] ops::batch_norm_forward<T> forward() {
    return {.x = x.data(),
            .gain = gain.data(),
            .bias = bias.data(),
            .moving_mean = moving_mean.data(),
            .moving_variance = moving_variance.data(),
            .y = y.data(),
            .mean = mean.data(),
            .inverse = inverse.data(),
            .rows = rows,
            .width = width,
            .training = training};
  }
  /// y, the statistics used and the moving ones, one after another.
  [[nodiscard]] std::vector<T> results() const {
    auto all = y;
    for (const auto* part : {&mean, &inverse, &moving_mean, &moving_variance})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  }
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool accumulate, Run&& run) const {
    ops::batch_norm_backward<T> op{};
    op.training = training;
    return norm_gradients(op, *this, dy, accumulate, run);
  }
};

}  // namespace

TEST_CASE("a normed column by hand, and the moving statistics", "[batch_norm]") {
  norm<double> n{4, 1, true};
  n.x = {1, 2, 3, 6};
  n.gain = {2};
  n.bias = {10};
  n.moving_mean = {1};
  n.moving_variance = {1};
  ops::reference::run(n.forward());
  CHECK(n.mean[0] == 3);
  CHECK(n.inverse[0] == Approx(1 / std::sqrt(3.5 + 1e-5)));
  CHECK(n.y[0] == Approx(10 - 4 * n.inverse[0]));
  CHECK(n.y[2] == 10);
  CHECK(n.moving_mean[0] == Approx(1.2));
  CHECK(n.moving_variance[0] == Approx(0.9 + 0.1 * 14 / 3));

  n.training = false;
  ops::reference::run(n.forward());
  CHECK(n.mean[0] == Approx(1.2));
  CHECK(n.y[3] == Approx(10 + 2 * 4.8 / std::sqrt(0.9 + 1.4 / 3 + 1e-5)));
  CHECK(n.moving_mean[0] == Approx(1.2));
}

TEMPLATE_TEST_CASE("the vectorised batch norm matches its reference", "[batch_norm]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 1e-6 : 1e-13;
  for (const bool training : {false, true})
    for (const index width : sizes())
      for (const index rows : {2, 7, 70}) {
        CAPTURE(width, rows, training);
        const norm<TestType> start{rows, width, training};
        norm<double> n64{start};
        ops::reference::run(n64.forward());
        auto n = start;
        const auto got = on_all_pools([&](thread_pool& on) {
          n = start;
          ops::cpu::run(n.forward(), on);
          return n.results();
        });
        CHECK(worst(got, n64.results()) <= bound * 100);

        const auto dy = values<TestType>(rows * width, 4);
        n64 = norm<double>{n};  // the same statistics, as the narrow form rounded them
        for (const bool accumulate : {false, true}) {
          const auto want = n64.gradients(as<double>(dy), accumulate, [](const auto& op) { ops::reference::run(op); });
          const auto dgot = on_all_pools([&](thread_pool& on) {
            return n.gradients(dy, accumulate, [&](const auto& op) { ops::cpu::run(op, on); });
          });
          CHECK(worst(dgot, want) <= bound * static_cast<double>(rows + 100));
        }
      }
}

TEST_CASE("gradients of the batch norm match central differences", "[batch_norm]") {
  for (const bool training : {false, true}) {
    CAPTURE(training);
    norm<double> n{5, 3, training};
    const auto dy = values<double>(15, 4);
    const auto moving = std::pair{n.moving_mean, n.moving_variance};
    const auto loss = [&] {
      std::tie(n.moving_mean, n.moving_variance) = moving;
      ops::reference::run(n.forward());
      return dot(n.y, dy);
    };
    loss();
    auto all = n.gradients(dy, true, [](const auto& op) { ops::reference::run(op); });
    for (double& g : all) g -= 0.25;
    CHECK(gradient_error(n.gain, {all.begin(), all.begin() + 3}, loss) < 1e-7);
    CHECK(gradient_error(n.bias, {all.begin() + 3, all.begin() + 6}, loss) < 1e-7);
    CHECK(gradient_error(n.x, {all.begin() + 6, all.end()}, loss) < 1e-7);
  }
}

TEST_CASE("outside training a row's batch norm does not depend on the rows beside it", "[batch_norm]") {
  norm<float> n{40, 37, false};
  ops::cpu::run(n.forward(), pool(3));
  for (index i = 0; i < 40; i += 13) {
    norm<float> one{1, 37, false};
    one.x = rows_of(n.x, 37, i, i + 1);
    ops::cpu::run(one.forward(), pool(1));
    CHECK(same_bits(one.y, rows_of(n.y, 37, i, i + 1)));
  }
}

}  // namespace op_test::batch_norm_test
