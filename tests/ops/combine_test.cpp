// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/combine_cpu.hpp>
#include "op_support.hpp"

namespace op_test::combine_test {

namespace {

/// Inputs of one update, in double and in T; which parts take part is a bit each.
template <class T>
struct update {
  static constexpr int saved = 1, past = 2, noise = 4, clip = 8, keep_clean = 16, cases = 32;
  index rows, row_size;
  int parts;
  std::vector<T> x, output, kept, past_0, past_2;
  ops::row_noise key{{.seed = 31, .draw = 2, .step = 6}};

  update(index n, index d, int which)
      : rows{n},
        row_size{d},
        parts{which},
        x(values<T>(n * d, 1)),
        output(values<T>(n * d, 2)),
        kept(values<T>(n * d, 3)),
        past_0(values<T>(n * d, 4)),
        past_2(values<T>(n * d, 5)) {}

  [[nodiscard]] ops::combine<T> arguments(T* clean, T* next) const {
    ops::combine<T> op{.x = x.data(), .output = output.data(), .next = next, .rows = rows, .row_size = row_size};
    op.fold = {T(0.75), T(-0.5), (parts & clip) != 0 ? T(0.8) : T(0)};
    op.wx = T(0.25);
    op.wc = T(1.5);
    if ((parts & saved) != 0) {
      op.saved = kept.data();
      op.ws = T(-0.125);
    }
    if ((parts & past) != 0) {
      op.past = {past_0.data(), nullptr, past_2.data()};
      op.wp = {T(0.5), 0, T(-2)};
    }
    if ((parts & noise) != 0) {
      op.wz = T(0.3);
      op.noise = key;
    }
    if ((parts & keep_clean) != 0) op.clean = clean;
    return op;
  }
};

}  // namespace

TEST_CASE("a fused update by hand", "[combine]") {
  const double x = 2, output = 3, saved = 10, past = 100;
  double clean = 0, next = 0;
  ops::combine<double> op{.x = &x,
                          .output = &output,
                          .saved = &saved,
                          .past = {&past},
                          .clean = &clean,
                          .next = &next,
                          .rows = 1,
                          .row_size = 1};
  op.fold = {0.5, 2, 0};
  op.wx = 1;
  op.wc = 0.1;
  op.ws = 0.01;
  op.wp = {0.001, 0, 0};
  ops::reference::run(op);
  CHECK(clean == 7);
  CHECK(next == Approx(2 + 0.7 + 0.1 + 0.1));
  op.fold.limit = 5;
  ops::reference::run(op);
  CHECK(clean == 5);
  op.fold.state = -5;
  ops::reference::run(op);
  CHECK(clean == -4);
  op.fold.limit = 3;
  ops::reference::run(op);
  CHECK(clean == -3);
  op.wz = 2;
  op.noise = {{.seed = 4}};
  const double without = next;
  ops::reference::run(op);
  CHECK(next == Approx(2 - 0.3 + 0.1 + 0.1 + 2 * random_normal({.seed = 4}, 0)));
  CHECK(without == Approx(2 - 0.3 + 0.1 + 0.1));
}

TEMPLATE_TEST_CASE("the vectorised update matches its reference in all its forms", "[combine]", float, double) {
  using form = update<TestType>;
  std::vector<std::pair<index, index>> shapes{{0, 5}, {3, 0}, {40, 10}, {2, ops::cpu::detail::elements_a_task + 9}};
  for (const index d : sizes()) shapes.emplace_back(3, d);
  for (const auto& [rows, row_size] : shapes)
    for (int parts = 0; parts < form::cases; ++parts) {
      CAPTURE(rows, row_size, parts);
      if (row_size > 1000 && parts != 31 && parts != form::noise) continue;
      const form u{rows, row_size, parts};
      update<double> u64{rows, row_size, parts};
      u64.x = as<double>(u.x), u64.output = as<double>(u.output), u64.kept = as<double>(u.kept);
      u64.past_0 = as<double>(u.past_0), u64.past_2 = as<double>(u.past_2);
      const auto size = u.x.size();
      std::vector<double> want(2 * size);
      auto op64 = u64.arguments(want.data() + size, want.data());
      op64.wz = static_cast<double>(u.arguments(nullptr, nullptr).wz);
      op64.fold.limit = static_cast<double>(u.arguments(nullptr, nullptr).fold.limit);
      ops::reference::run(op64);
      const auto got = on_all_pools([&](thread_pool& on) {
        std::vector<TestType> out(2 * size);
        ops::cpu::run(u.arguments(out.data() + size, out.data()), on);
        return out;
      });
      const double exact = sizeof(TestType) == 4 ? ops::combine_bound : 1e-14;
      CHECK(worst(got, want) <= exact * 4 + ((parts & form::noise) != 0 ? ops::normal_bound : 0));
    }
}

TEST_CASE("an element's update does not depend on the batch around it", "[combine]") {
  constexpr index rows = 7, row_size = 21;
  for (const int parts : {0, 4, 8, 15, 31}) {
    const update<float> u{rows, row_size, parts};
    std::vector<float> whole(2 * rows * row_size);
    ops::cpu::run(u.arguments(whole.data() + rows * row_size, whole.data()), pool(2));
    for (index first = 0; first < rows; ++first)
      for (index count = 1; first + count <= rows; count += 2) {
        const auto at = static_cast<std::size_t>(first * row_size);
        std::vector<float> part(static_cast<std::size_t>(2 * count * row_size));
        auto op = u.arguments(part.data() + count * row_size, part.data());
        op.rows = count;
        op.x += at;
        op.output += at;
        if (op.saved != nullptr) op.saved += at;
        for (auto& p : op.past)
          if (p != nullptr) p += at;
        ops::cpu::run(op, pool(1));
        part.resize(part.size() / 2);
        CHECK(same_bits(part, rows_of(whole, row_size, first, first + count)));
      }
  }
}

TEST_CASE("rows with draws of their own take them", "[combine]") {
  const std::vector<std::uint32_t> draws{9, 1, 9, 4};
  std::vector<float> next(4 * 70);
  ops::combine<float> op{.x = nullptr, .output = nullptr, .next = next.data(), .rows = 4, .row_size = 70};
  op.fold = {0, 0, 0};
  op.wz = 1;
  op.noise = {{.seed = 3}, draws.data(), 2};
  ops::cpu::run(op, pool(2));
  for (index i = 0; i < 4; ++i)
    for (index j = 0; j < 70; ++j)
      CHECK(next[static_cast<std::size_t>(i * 70 + j)] ==
            Approx(random_normal(op.noise.of(i), static_cast<std::uint64_t>(2 + j))).margin(ops::normal_bound));
}

TEST_CASE("a term of weight zero is never read", "[combine]") {
  const std::vector<float> nothing(40, NAN), x(40, 2);
  std::vector<float> next(40), clean(40);
  ops::combine<float> op{.x = x.data(), .output = nullptr, .next = next.data(), .rows = 4, .row_size = 10};
  op.fold = {0, 0, 0};
  op.wx = 3;
  ops::cpu::run(op, pool(1));
  CHECK(next == std::vector<float>(40, 6));
  ops::reference::run(op);
  CHECK(next == std::vector<float>(40, 6));
  op.output = nothing.data();
  op.saved = nothing.data();
  ops::cpu::run(op, pool(1));
  CHECK(next == std::vector<float>(40, 6));

  ops::combine<float> only_clean{
      .x = x.data(), .output = x.data(), .clean = clean.data(), .next = nullptr, .rows = 4, .row_size = 10};
  only_clean.fold = {1, 2, 5};
  only_clean.wz = 1;
  ops::cpu::run(only_clean, pool(1));
  CHECK(clean == std::vector<float>(40, 5));
}

TEST_CASE("clipping lets NaN through, so that it is seen", "[combine]") {
  const std::vector<float> x(9, NAN), output(9, 1);
  for (const float limit : {0.0F, 1.0F}) {
    std::vector<float> next(9);
    ops::combine<float> op{.x = x.data(), .output = output.data(), .next = next.data(), .rows = 1, .row_size = 9};
    op.fold = {1, 1, limit};
    op.wc = 1;
    ops::cpu::run(op, pool(1));
    CHECK(std::all_of(next.begin(), next.end(), [](float v) { return std::isnan(v); }));
    ops::reference::run(op);
    CHECK(std::isnan(next[0]));
  }
}

TEST_CASE("an update works in place", "[combine]") {
  update<float> u{3, 50, 31};
  std::vector<float> next(150), clean(150);
  ops::cpu::run(u.arguments(clean.data(), next.data()), pool(1));
  ops::cpu::run(u.arguments(u.output.data(), u.x.data()), pool(1));
  CHECK(same_bits(u.x, next));
  CHECK(same_bits(u.output, clean));
}

}  // namespace op_test::combine_test
