// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/kernel_average_cpu.hpp>
#include "op_support.hpp"

namespace op_test::kernel_average_test {

namespace {

template <class T>
struct average {
  index rows, count, row_size;
  std::vector<T> x, reference;
  std::vector<double> alpha{1, 0.7, 0.05, 0.999}, sigma{0.5, 0.714, 0.9987, 0.02};
  std::vector<std::int32_t> level;
  std::vector<index> exclude{};
  bool scratch = false;

  average(index n, index c, index d, double scale = 1)
      : rows{n},
        count{c},
        row_size{d},
        x(values<T>(n * d, 1, scale)),
        reference(values<T>(c * d, 2, scale)),
        level(levels(n, 4)) {}

  struct result {
    std::vector<T> clean;
    std::vector<double> log_sum;
  };
  template <class Run>
  result through(Run&& run) const {
    result out{std::vector<T>(x.size()), std::vector<double>(static_cast<std::size_t>(rows))};
    std::vector<double> sum(scratch ? x.size() : 0);
    ops::kernel_average<T> op{};
    op.x = x.data();
    op.level = level.data();
    op.alpha = alpha.data();
    op.sigma = sigma.data();
    op.reference = reference.data();
    op.exclude = exclude.empty() ? nullptr : exclude.data();
    op.clean = out.clean.data();
    op.log_sum = out.log_sum.data();
    op.rows = rows;
    op.count = count;
    op.row_size = row_size;
    op.sum = scratch ? sum.data() : nullptr;
    run(op);
    return out;
  }
  [[nodiscard]] result on(thread_pool& threads) const {
    return through([&](const auto& op) { ops::cpu::run(op, threads); });
  }
};

}  // namespace

TEST_CASE("a posterior mean by hand", "[kernel_average]") {
  average<double> a{1, 2, 1};
  a.x = {1};
  a.reference = {0, 2};
  a.alpha = {0.5};
  a.sigma = {1};
  // energies 1/2 and 0
  const auto r = a.through([](const auto& op) { ops::reference::run(op); });
  const double w = std::exp(-0.5);
  CHECK(r.clean[0] == Approx(2 / (1 + w)));
  CHECK(r.log_sum[0] == Approx(std::log(1 + w)));
  a.exclude = {1};
  const auto rest = a.through([](const auto& op) { ops::reference::run(op); });
  CHECK(rest.clean[0] == 0);
  CHECK(rest.log_sum[0] == Approx(-0.5));
}

TEMPLATE_TEST_CASE("the online average matches the sum over all references", "[kernel_average]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::kernel_average_bound : 1e-12;
  for (const index d : {1, 3, 4, 9, 32, 130, 513})
    for (const index count : {1, 2, 63, 64, 65, 200}) {
      CAPTURE(d, count);
      average<TestType> a{9, count, d};
      for (int which = 0; which < 3; ++which) {
        if (which == 1)
          for (index i = 0; i < a.rows; ++i) a.exclude.push_back(i % 3 == 0 ? -1 : i % count);
        a.scratch = which == 2;
        average<double> a64{9, count, d};
        a64.x = as<double>(a.x);
        a64.reference = as<double>(a.reference);
        a64.exclude = a.exclude;
        const auto want = a64.through([](const auto& op) { ops::reference::run(op); });
        const auto got = a.on(pool(1));
        if (count > 1 || which == 0) {
          CHECK(worst(got.clean, want.clean, 2) <= bound);
          CHECK(worst(got.log_sum, want.log_sum) <= ops::kernel_average_log_bound);
        }
        for (const int threads : {2, 3}) {
          const auto same = a.on(pool(threads));
          CHECK(same_bits(same.clean, got.clean));
          CHECK(same_bits(same.log_sum, got.log_sum));
        }
      }
    }
}

TEST_CASE("near no noise the average is the nearest reference", "[kernel_average]") {
  average<float> a{4, 50, 6};
  a.alpha.assign(4, 1);
  a.sigma.assign(4, 1e-4);
  for (index i = 0; i < 4; ++i)
    for (index j = 0; j < 6; ++j)
      a.x[static_cast<std::size_t>(i * 6 + j)] = a.reference[static_cast<std::size_t>((7 * i + 3) * 6 + j)];
  const auto r = a.on(pool(2));
  CHECK(same_bits(r.clean, a.x));
  CHECK(worst(r.log_sum, std::vector<double>(4)) < 1e-12);
}

TEST_CASE("far rows do not underflow", "[kernel_average]") {
  average<float> a{3, 70, 5};
  for (auto& v : a.x) v += 1e4F;
  const auto r = a.on(pool(1));
  for (const float v : r.clean) CHECK(std::isfinite(v));
  for (const double v : r.log_sum) CHECK(v < -1e6);
  average<double> a64{3, 70, 5};
  a64.x = as<double>(a.x);
  a64.reference = as<double>(a.reference);
  const auto want = a64.through([](const auto& op) { ops::reference::run(op); });
  CHECK(worst(r.clean, want.clean, 2) <= ops::kernel_average_bound);
  CHECK(worst(r.log_sum, want.log_sum) <= ops::kernel_average_log_bound);
}

TEST_CASE("with no reference left the clean estimate is NaN", "[kernel_average]") {
  average<float> a{2, 1, 3};
  a.exclude = {0, -1};
  for (const auto& r : {a.on(pool(1)), a.through([](const auto& op) { ops::reference::run(op); })}) {
    CHECK(std::isnan(r.clean[0]));
    CHECK(r.log_sum[0] == -INFINITY);
    CHECK(r.clean[3] == a.reference[0]);
  }
}

TEST_CASE("a row's average does not depend on the rows beside it", "[kernel_average]") {
  const average<float> a{13, 150, 7};
  const auto whole = a.on(pool(3));
  for (index i = 0; i < 13; i += 4) {
    average<float> one{1, 150, 7};
    one.x = rows_of(a.x, 7, i, i + 1);
    one.level[0] = a.level[static_cast<std::size_t>(i)];
    const auto r = one.on(pool(1));
    CHECK(same_bits(r.clean, rows_of(whole.clean, 7, i, i + 1)));
    CHECK(r.log_sum[0] == whole.log_sum[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("the clean estimate is the gradient of log_sum", "[kernel_average]") {
  average<double> a{2, 20, 4};
  a.level = {1, 0};
  const auto loss = [&] {
    const auto r = a.on(pool(1));
    return r.log_sum[0] + r.log_sum[1];
  };
  const auto r = a.on(pool(1));
  std::vector<double> slope;  // of −‖x − alpha r‖² / (2 sigma²): (alpha clean − x) / sigma²
  for (std::size_t i = 0; i < 8; ++i) {
    const auto l = static_cast<std::size_t>(a.level[i / 4]);
    slope.push_back((a.alpha[l] * r.clean[i] - a.x[i]) / (a.sigma[l] * a.sigma[l]));
  }
  CHECK(gradient_error(a.x, slope, loss) < 1e-7);
}

}  // namespace op_test::kernel_average_test
