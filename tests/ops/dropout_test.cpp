// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/dropout_cpu.hpp>
#include "op_support.hpp"

namespace op_test::dropout_test {

namespace {

template <class T>
std::vector<T> dropped(thread_pool& on, const std::vector<T>& x, index width, double rate,
                       const ops::row_noise& noise) {
  std::vector<T> y(x.size());
  ops::cpu::run(ops::dropout<T>{.x = x.data(),
                                .y = y.data(),
                                .rows = static_cast<index>(x.size()) / width,
                                .width = width,
                                .rate = rate,
                                .noise = noise},
                on);
  return y;
}

}  // namespace

TEST_CASE("an element is kept where its word is at least rate 2^32, and scaled", "[dropout]") {
  const ops::row_noise noise{{.seed = 4, .draw = 1, .step = 2, .use = purpose::dropout}, nullptr, 8};
  const std::vector<double> x(100, 3);
  std::vector<double> y(100);
  ops::reference::run(
      ops::dropout<double>{.x = x.data(), .y = y.data(), .rows = 1, .width = 100, .rate = 0.25, .noise = noise});
  for (std::uint64_t j = 0; j < 100; ++j) CHECK(y[j] == (random_uniform(noise.key, 8 + j) >= 0.25 ? 4 : 0));
}

TEMPLATE_TEST_CASE("the vectorised dropout is its reference", "[dropout]", float, double) {
  const std::vector<std::uint32_t> draws{5, 1, 0xffffffff};
  auto widths = sizes();
  widths.push_back(ops::cpu::detail::elements_a_piece + 5);
  for (const index width : widths)
    for (const double rate : {0.0, 0.1, 0.9})
      for (const bool own_draws : {false, true})
        for (const bool accumulate : {false, true}) {
          const auto x = values<TestType>(3 * width, 1);
          const auto make = [&](TestType* y) {
            return ops::dropout<TestType>{
                .x = x.data(),
                .y = y,
                .rows = 3,
                .width = width,
                .rate = rate,
                .noise = {{.seed = 6, .use = purpose::dropout}, own_draws ? draws.data() : nullptr, own_draws ? 3 : 64},
                .accumulate = accumulate};
          };
          std::vector<TestType> want(x.size(), 1);
          ops::reference::run(make(want.data()));
          const auto got = on_all_pools([&](thread_pool& on) {
            std::vector<TestType> y(x.size(), 1);
            ops::cpu::run(make(y.data()), on);
            return y;
          });
          CHECK(worst(got, want) <= (accumulate ? 1e-6 : 0));  // product and sum may be one instruction
        }
}

TEST_CASE("rate 0 copies, other rates keep the mean", "[dropout]") {
  const auto x = values<float>(7 * 33, 1);
  CHECK(same_bits(dropped(pool(2), x, 33, 0, {{.seed = 1}}), x));
  const std::vector<double> ones(1 << 16, 1);
  for (const double rate : {0.1, 0.5, 0.8}) {
    const auto y = dropped(pool(2), ones, 1 << 16, rate, {{.seed = 1, .use = purpose::dropout}});
    double sum = 0;
    for (const double v : y) sum += v;
    CHECK(sum / (1 << 16) == Approx(1).margin(4 * std::sqrt(rate / (1 - rate) / (1 << 16))));
  }
}

TEST_CASE("layers and samples drop apart, the same sample drops alike in any batch", "[dropout]") {
  const std::vector<float> x(4 * 64, 1);
  const std::vector<std::uint32_t> draws{3, 4, 3, 5};
  const ops::row_noise first{{.seed = 1, .use = purpose::dropout}, draws.data(), 0};
  auto second = first;
  second.first_element = 64;
  const auto y = dropped(pool(1), x, 64, 0.5, first);
  CHECK(same_bits(rows_of(y, 64, 0, 1), rows_of(y, 64, 2, 3)));
  CHECK_FALSE(same_bits(rows_of(y, 64, 0, 1), rows_of(y, 64, 1, 2)));
  CHECK_FALSE(same_bits(dropped(pool(1), x, 64, 0.5, second), y));
  auto alone = first;
  alone.draws = draws.data() + 3;
  CHECK(same_bits(dropped(pool(1), std::vector<float>(64, 1), 64, 0.5, alone), rows_of(y, 64, 3, 4)));
}

TEST_CASE("the backward pass drops the same elements", "[dropout]") {
  std::vector<double> x = values<double>(30, 1);
  const auto dy = values<double>(30, 2);
  const auto run = [](const std::vector<double>& from) {
    std::vector<double> to(30);
    ops::reference::run(ops::dropout<double>{.x = from.data(),
                                             .y = to.data(),
                                             .rows = 3,
                                             .width = 10,
                                             .rate = 0.4,
                                             .noise = {{.seed = 9, .use = purpose::dropout}}});
    return to;
  };
  CHECK(gradient_error(x, run(dy), [&] { return dot(run(x), dy); }) < 1e-9);
}

}  // namespace op_test::dropout_test
