// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/noise_cpu.hpp>
#include "op_support.hpp"

namespace op_test::noise_test {

namespace {

template <class T>
std::vector<T> normals(thread_pool& on, index rows, index row_size, const ops::row_noise& noise) {
  std::vector<T> out(static_cast<std::size_t>(rows * row_size), T(-99));
  ops::cpu::run(ops::fill_normal<T>{out.data(), rows, row_size, noise}, on);
  return out;
}

}  // namespace

TEST_CASE("the vectorised words are philox4x32's", "[noise]") {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{0x299f31d0a4093822}, ~std::uint64_t{0}})
    for (const std::uint64_t first : {0ULL, 1ULL, 23ULL, 0x1fffffff8ULL, 0x3ffffff00ULL}) {
      const noise_key key{.seed = seed, .draw = 0x13198a2e, .step = 0x03707344, .use = purpose::dropout};
      ops::cpu::detail::noise_piece<std::uint32_t> piece{seed};
      const auto* got = piece.draw(key, first, 200);
      bool same = true;
      for (std::uint64_t i = 0; i < 200; ++i) same = same && got[i] == random_word(key, first + i);
      CHECK(same);
    }
}

TEST_CASE("Box and Muller in float keeps its bound for every kind of word", "[noise]") {
  using namespace ops::cpu::detail;
  std::vector<std::uint32_t> edges{0, 1, 2, 3, 127, 128, 255, 256};
  for (int bit = 3; bit < 32; ++bit)
    for (const int delta : {-2, -1, 0, 1, 3}) edges.push_back((1U << bit) + static_cast<std::uint32_t>(delta));
  for (const std::uint32_t w : {0xb504f332U, 0xb504f333U, 0xb504f334U, 0xb504f3ffU, 0xb504f400U}) edges.push_back(w);
  for (std::size_t i = 0, n = edges.size(); i < n; ++i) edges.push_back(~edges[i]);
  const auto as_vector = [](std::uint32_t w) { return w - words{}; };
  double most = 0;
  for (const auto a : edges)
    for (const auto b : edges) {
      reals first, second;
      box_muller(as_vector(a), as_vector(b), first, second);
      const double radius = std::sqrt(-2 * std::log((a + 0.5) * 0x1p-32)), angle = 2 * M_PI * 0x1p-32 * b;
      most = std::max(
          {most, std::abs(first[0] - radius * std::cos(angle)), std::abs(second[0] - radius * std::sin(angle))});
    }
  CHECK(most < ops::normal_bound);
}

TEMPLATE_TEST_CASE("vectorised normals match random_normal", "[noise]", float, double) {
  auto widths = sizes();
  widths.push_back(ops::cpu::detail::elements_a_piece + 37);
  widths.push_back(ops::cpu::detail::elements_a_task + 5);
  for (const index row_size : widths)
    for (const index rows : {0, 1, 3}) {
      const std::vector<std::uint32_t> draws{4, 0, 0xfffffff0};
      for (const bool own_draws : {false, true}) {
        const ops::row_noise noise{{.seed = 77, .draw = 5, .step = 9, .use = purpose::corruption},
                                   own_draws ? draws.data() : nullptr,
                                   own_draws ? 4097 : 0};
        const auto got = on_all_pools([&](thread_pool& on) { return normals<TestType>(on, rows, row_size, noise); });
        std::vector<double> want(got.size());
        ops::reference::run(ops::fill_normal<double>{want.data(), rows, row_size, noise});
        double most = 0;
        for (std::size_t i = 0; i < got.size(); ++i)
          most = std::max(most, std::abs(static_cast<double>(got[i]) - want[i]));
        CHECK(most <= ops::normal_bound);
      }
    }
}

TEST_CASE("a million normals keep the bound", "[noise]") {
  constexpr index count = 1 << 20;
  const auto got = normals<float>(pool(2), 1, count, {{.seed = 1}});
  double most = 0;
  for (index i = 0; i < count; i += 3)
    most = std::max(most, std::abs(static_cast<double>(got[static_cast<std::size_t>(i)]) -
                                   random_normal({.seed = 1}, static_cast<std::uint64_t>(i))));
  CHECK(most <= ops::normal_bound);
}

TEST_CASE("normals have the moments and tails of the standard normal", "[noise]") {
  constexpr index count = 1 << 20;
  const auto x = normals<float>(pool(2), 1, count, {{.seed = 2024}});
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lagged = 0, beyond_2 = 0, beyond_4 = 0, last = 0;
  for (const double v : x) {
    m1 += v;
    m2 += v * v;
    m3 += v * v * v;
    m4 += v * v * v * v;
    lagged += v * last;
    beyond_2 += std::abs(v) > 2;
    beyond_4 += std::abs(v) > 4;
    last = v;
  }
  const double n = count, root = std::sqrt(n);
  CHECK(std::abs(m1 / n) < 4 / root);
  CHECK(std::abs(m2 / n - 1) < 4 * std::sqrt(2.0) / root);
  CHECK(std::abs(m3 / n) < 4 * std::sqrt(15.0) / root);
  CHECK(std::abs(m4 / n - 3) < 4 * std::sqrt(96.0) / root);
  CHECK(std::abs(lagged / n) < 4 / root);
  CHECK(beyond_2 / n == Approx(0.04550026).margin(4 * std::sqrt(0.0455) / root));
  CHECK(beyond_4 / n == Approx(6.334e-5).margin(4 * std::sqrt(6.334e-5) / root));
}

TEST_CASE("a row's noise depends on its key and its elements alone", "[noise]") {
  constexpr index row_size = 75;
  const std::vector<std::uint32_t> draws{3, 9, 3, 200, 7};
  const ops::row_noise noise{{.seed = 8, .step = 4}, draws.data(), 0};
  const auto whole = normals<float>(pool(1), 5, row_size, noise);
  CHECK(same_bits(rows_of(whole, row_size, 0, 1), rows_of(whole, row_size, 2, 3)));
  for (index i = 0; i < 5; ++i) {
    noise_key key = noise.key;
    key.draw = draws[static_cast<std::size_t>(i)];
    CHECK(same_bits(normals<float>(pool(1), 1, row_size, {key}), rows_of(whole, row_size, i, i + 1)));
  }
  for (const index first : {1, 4, 7, 32, 66}) {
    auto tile = noise;
    tile.first_element = first;
    const auto part = normals<float>(pool(1), 1, row_size - first, tile);
    CHECK(same_bits(part, std::vector<float>(whole.begin() + first, whole.begin() + row_size)));
  }
}

TEMPLATE_TEST_CASE("corrupt_rows noises and aims as its reference", "[noise]", float, double) {
  const std::vector<double> alpha{1, 0.8, 0.1}, sigma{0, 0.6, 0.99}, clean{0, -0.6, 1}, epsilon{1, 0.8, 0};
  const auto a = as<TestType>(alpha), s = as<TestType>(sigma), c = as<TestType>(clean), e = as<TestType>(epsilon);
  auto widths = sizes();
  widths.push_back(ops::cpu::detail::elements_a_piece + 37);
  widths.push_back(ops::cpu::detail::elements_a_task + 5);
  for (const index row_size : widths)
    for (const index rows : {0, 1, 5}) {
      const auto x = values<TestType>(rows * row_size, 3);
      const auto x64 = as<double>(x);
      const auto level = levels(rows, 3);
      const std::vector<std::uint32_t> draws{1, 2, 3, 4, 5};
      const ops::row_noise noise{{.seed = 5, .step = 2, .use = purpose::corruption}, draws.data()};
      const auto size = x.size();
      std::vector<double> noised64(size), target64(size);
      ops::reference::run(ops::corrupt_rows<double>{x64.data(), noised64.data(), target64.data(), rows, row_size,
                                                    alpha.data(), sigma.data(), clean.data(), epsilon.data(),
                                                    level.data(), noise});
      const auto run = [&](thread_pool& on, bool aim, bool in_place) {
        auto from = x;
        std::vector<TestType> noised(size), target(size);
        TestType* to = in_place ? from.data() : noised.data();
        ops::cpu::run(ops::corrupt_rows<TestType>{from.data(), to, aim ? target.data() : nullptr, rows, row_size,
                                                  a.data(), s.data(), aim ? c.data() : nullptr,
                                                  aim ? e.data() : nullptr, level.data(), noise},
                      on);
        auto both = in_place ? from : noised;
        both.insert(both.end(), target.begin(), target.end());
        return both;
      };
      const auto got = on_all_pools([&](thread_pool& on) { return run(on, true, false); });
      auto want = noised64;
      want.insert(want.end(), target64.begin(), target64.end());
      CHECK(worst(got, want) <= ops::normal_bound);
      CHECK(same_bits(run(pool(2), true, true), got));
      auto noised_only = run(pool(1), false, false);
      noised_only.resize(size);
      CHECK(same_bits(noised_only, std::vector<TestType>(got.begin(), got.begin() + static_cast<index>(size))));
    }
}

TEST_CASE("corrupting a row does not depend on the rows beside it", "[noise]") {
  constexpr index rows = 9, row_size = 21;
  const auto x = values<float>(rows * row_size, 3);
  const std::vector<float> alpha{0.9F, 0.5F}, sigma{0.1F, 0.8F}, clean{1, 0}, epsilon{0.5F, 1};
  const auto level = levels(rows, 2);
  const std::vector<std::uint32_t> draws{5, 6, 7, 8, 9, 10, 11, 12, 13};
  const auto run = [&](index first, index last) {
    const index count = (last - first) * row_size;
    std::vector<float> out(static_cast<std::size_t>(2 * count));
    ops::cpu::run(ops::corrupt_rows<float>{x.data() + first * row_size,
                                           out.data(),
                                           out.data() + count,
                                           last - first,
                                           row_size,
                                           alpha.data(),
                                           sigma.data(),
                                           clean.data(),
                                           epsilon.data(),
                                           level.data() + first,
                                           {{.seed = 1}, draws.data() + first}},
                  pool(1));
    out.resize(static_cast<std::size_t>(count));
    return out;
  };
  const auto whole = run(0, rows);
  for (index i = 0; i < rows; ++i) CHECK(same_bits(run(i, i + 1), rows_of(whole, row_size, i, i + 1)));
}

}  // namespace op_test::noise_test
