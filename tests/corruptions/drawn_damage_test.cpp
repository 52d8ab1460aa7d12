// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/drawn_damage.hpp>
#include <anodiff/predictions/residual.hpp>
#include <anodiff/predictions/velocity.hpp>
#include "laws/corruption_laws.hpp"

namespace drawn_damage_test {

using namespace anodiff;

namespace {

using corruptions::drawn_damage;
using corruptions::drawn_numbers;

/// Damage drawn into a flat picture of zeros.
tensor<float, 3> drawn(const corruptions::drawn_damage_params& p, std::uint32_t number, anodiff::index side = 64) {
  const tensor<float, 3> clean{{side, side, 1}};
  tensor<float, 3> picture = clean;
  drawn_damage{p}.draw(picture.view(), clean.data(), drawn_numbers{{.seed = 5, .draw = number}, 0});
  return picture;
}
double mean_of(const tensor<float, 3>& picture) {
  double sum = 0;
  for (const float v : picture.flat()) sum += static_cast<double>(v);
  return sum / static_cast<double>(picture.size());
}

}  // namespace

TEST_CASE("drawn_damage: what is seen, and the target that gives the clean sample back", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  const predictions::velocity prediction{};
  laws::minibatch<basic_cpu_engine<double>> b{6, 15 * 11, {level}, {prediction.target(level)}};
  b.sample = {15, 11, 1};
  const basic_cpu_engine<double> engine{2};
  drawn_damage{{.share = 1, .hidden = 0}}.corrupt(engine, b.batch({.seed = 3, .use = purpose::corruption}, 0, 6));
  double worst = 0, moved = 0;
  for (std::size_t e = 0; e < b.x.size(); ++e) {
    const mixture fold = prediction.fold(level);
    worst = std::max(worst, std::abs(fold.first * b.damaged[e] + fold.second * b.target[e] - b.x[e]));
    noise_key own{.seed = 3, .draw = b.draws[e / 165], .use = purpose::corruption};
    moved += std::abs(b.damaged[e] - 0.8 * b.x[e] - 0.6 * random_normal(own, e % 165)) > 1e-3 ? 1 : 0;
  }
  CHECK(worst < 1e-12);
  CHECK(moved > 6);
  CHECK(moved < 0.9 * static_cast<double>(b.x.size()));
}

TEST_CASE("drawn_damage: undamaged samples are noised as by gaussian", "[corruptions]") {
  const noise_level level{1, 0.5, 0};
  const mixture target = predictions::residual{}.target(level);
  laws::minibatch<basic_cpu_engine<double>> b{4, 48, {level}, {target}}, plain = b;
  b.sample = {4, 4, 3};
  const basic_cpu_engine<double> engine{1};
  const noise_key key{.seed = 3, .step = 9, .use = purpose::corruption};
  drawn_damage{{.share = 0, .hidden = 0}}.corrupt(engine, b.batch(key, 0, 4));
  corruptions::gaussian{}.corrupt(engine, plain.batch(key, 0, 4));
  for (std::size_t e = 0; e < b.x.size(); ++e) {
    CHECK(b.damaged[e] == Approx(plain.damaged[e]).epsilon(1e-14));
    CHECK(b.target[e] == Approx(plain.target[e]).margin(1e-14));
  }
}

TEST_CASE("drawn_damage: as large, as strong and as dark as its numbers say", "[corruptions]") {
  double small = 0, large = 0, darker = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const auto fine = drawn({.share = 1,
                             .most = 1,
                             .smallest = 2,
                             .largest = 2,
                             .soft = 0,
                             .hills = 0,
                             .weakest = 2,
                             .strongest = 2,
                             .hidden = 0},
                            i);
    const auto coarse = drawn({.share = 1,
                               .most = 1,
                               .smallest = 10,
                               .largest = 10,
                               .soft = 0,
                               .hills = 0,
                               .weakest = 2,
                               .strongest = 2,
                               .hidden = 0},
                              i);
    for (const float v : fine.flat()) small += v != 0 ? 1 : 0;
    for (const float v : coarse.flat()) large += v != 0 ? 1 : 0;
    for (const auto* picture : {&fine, &coarse})
      for (const float v : picture->flat()) CHECK(std::abs(v) <= 2.0F);
    darker += mean_of(drawn({.share = 1, .most = 1, .dark = 1, .hidden = 0}, i)) <= 0 ? 1 : 0;
  }
  CHECK(small / 200 > 5);
  CHECK(small / 200 < 40);
  CHECK(large / small > 5);
  CHECK(darker == 200);
  double damaged = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    damaged += mean_of(drawn({.share = 0.3, .smallest = 4, .hidden = 0}, i)) != 0 ? 1 : 0;
  CHECK(damaged / 1000 == Approx(0.3).margin(0.06));
}

TEST_CASE("drawn_damage: hidden blocks are noise, a half or a quarter of the picture", "[corruptions]") {
  double halves = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const auto picture = drawn({.share = 0, .hidden = 1}, i, 96);
    double changed = 0, square = 0;
    for (const float v : picture.flat()) {
      changed += v != 0 ? 1 : 0;
      square += static_cast<double>(v) * static_cast<double>(v);
    }
    const double share = changed / (96 * 96);
    CHECK((share == Approx(0.5).margin(0.08) || share == Approx(0.25).margin(0.08)));
    CHECK(std::sqrt(square / changed) == Approx(2).margin(0.2));
    halves += share > 0.375 ? 1 : 0;
  }
  CHECK(halves / 200 == Approx(2.0 / 3).margin(0.12));
}

TEST_CASE("drawn_damage: a picture of one pixel, and numbers that cannot be", "[corruptions]") {
  (void)drawn({.share = 1, .most = 9}, 1, 1);
  laws::minibatch<cpu_engine> row{2, 8, {noise_level{1, 1, 0}}, {mixture{0, 1}}};
  const cpu_engine engine{1};
  CHECK_THROWS_WITH(drawn_damage{}.corrupt(engine, row.batch({}, 0, 2)),
                    "corruptions::drawn_damage: needs samples (height, width, channels), got 1 dimensions");
  CHECK_THROWS_WITH(drawn_damage({.share = 2}), "corruptions::drawn_damage: share must lie in [0, 1], got 2");
  CHECK_THROWS_WITH(drawn_damage({.smallest = 5, .largest = 2}),
                    "corruptions::drawn_damage: smallest and largest must be 0 < low <= high, got 5 and 2");
}

}  // namespace drawn_damage_test
