// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/philox.hpp>
#include <catch2/catch.hpp>
#include <set>
#include <tuple>

namespace philox_test {

using namespace anodiff;

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST_CASE("philox4x32 gives the published answers", "[philox]") {
  CHECK(philox4x32({0, 0, 0, 0}, 0) == philox_words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        philox_words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        philox_words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(philox4x32({0, 0, 0, 0}, 0)[0] == 0x6627e8d5);
}

TEST_CASE("a random word is the counter (element / 4, draw, step, purpose) under the seed", "[philox]") {
  const noise_key key{.seed = 0x123456789abcdef0, .draw = 7, .step = 11, .use = purpose::corruption};
  const auto words = philox4x32({25, 7, 11, 3}, key.seed);
  for (std::uint64_t i = 0; i < 4; ++i) CHECK(random_word(key, 100 + i) == words[i]);
  CHECK(random_word(key, (std::uint64_t{1} << 34) - 1) == philox4x32({0xffffffff, 7, 11, 3}, key.seed)[3]);
}

TEST_CASE("keys that differ in one field share no word", "[philox]") {
  std::set<std::uint32_t> words;
  for (const std::uint64_t seed : {0U, 1U})
    for (const std::uint32_t draw : {0U, 1U})
      for (const std::uint32_t step : {0U, 1U})
        for (const auto use : {purpose::init, purpose::step, purpose::dropout, purpose::corruption, purpose::split,
                               purpose::repeat, purpose::level, purpose::scoring})
          for (std::uint64_t element = 0; element < 8; ++element)
            words.insert(random_word({seed, draw, step, use}, element));
  CHECK(words.size() == 2 * 2 * 2 * 8 * 8);
}

TEST_CASE("uniforms stay inside (0, 1) and have its moments", "[philox]") {
  const noise_key key{.seed = 5};
  double sum = 0, squares = 0, lowest = 1, highest = 0;
  constexpr int count = 40000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double u = random_uniform(key, i);
    lowest = std::min(lowest, u);
    highest = std::max(highest, u);
    sum += u;
    squares += u * u;
  }
  CHECK(lowest > 0);
  CHECK(highest < 1);
  CHECK(sum / count == Approx(0.5).margin(4 * std::sqrt(1.0 / 12 / count)));
  CHECK(squares / count == Approx(1.0 / 3).margin(0.006));
}

TEST_CASE("random_below covers [0, bound) evenly", "[philox]") {
  const noise_key key{.seed = 9, .use = purpose::split};
  std::array<int, 7> hits{};
  constexpr int count = 21000;
  for (std::uint64_t i = 0; i < count; ++i) ++hits.at(random_below(key, i, 7));
  for (const int h : hits) CHECK(std::abs(h - count / 7) < 5 * std::sqrt(count / 7.0));
  CHECK(random_below(key, 0, 1) == 0);
  for (std::uint64_t i = 0; i < 50; ++i) CHECK(random_below(key, i, std::uint64_t{1} << 32) == random_word(key, i));
}

TEST_CASE("normals are Box and Muller's of the same words", "[philox]") {
  const noise_key key{.seed = 3, .draw = 1, .step = 2};
  const auto words = philox4x32({6, 1, 2, 1}, 3);
  const auto radius = [](std::uint32_t w) { return std::sqrt(-2 * std::log((w + 0.5) / 4294967296.0)); };
  const auto angle = [](std::uint32_t w) { return 2 * 3.14159265358979323846 * w / 4294967296.0; };
  CHECK(random_normal(key, 24) == Approx(radius(words[0]) * std::cos(angle(words[1]))).epsilon(1e-12));
  CHECK(random_normal(key, 25) == Approx(radius(words[0]) * std::sin(angle(words[1]))).epsilon(1e-12));
  CHECK(random_normal(key, 26) == Approx(radius(words[2]) * std::cos(angle(words[3]))).epsilon(1e-12));
  CHECK(random_normal(key, 27) == Approx(radius(words[2]) * std::sin(angle(words[3]))).epsilon(1e-12));
}

}  // namespace philox_test
