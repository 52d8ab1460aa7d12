// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/masked.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include "laws/corruption_laws.hpp"

namespace masked_test {

using namespace anodiff;
using on_gaussian = corruptions::masked<corruptions::gaussian>;

TEST_CASE("masked: boxes as many and as large as their numbers say", "[corruptions]") {
  on_gaussian::params p;
  p.most = 1;
  p.smallest = p.largest = 0.25;
  p.fill = 7;
  int blotted = 0;
  for (std::uint32_t draw = 0; draw < 400; ++draw) {
    tensor<float, 3> picture{{16, 20, 2}};
    on_gaussian{p}.blot(picture.view(), corruptions::drawn_numbers{{.seed = 5, .draw = draw}, 16});
    const auto filled = std::ranges::count(picture.flat(), 7.0F);
    CHECK((filled == 0 || filled == 4 * 4 * 2));
    blotted += filled > 0 ? 1 : 0;
  }
  CHECK(std::abs(blotted - 200) < 50);
}

TEST_CASE("masked: the target gives the whole clean picture back", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  const auto check = [&](const auto& prediction) {
    laws::minibatch<basic_cpu_engine<double>> b{6, 16 * 12, {level}, {prediction.target(level)}};
    b.sample = {16, 12, 1};
    const basic_cpu_engine<double> engine{1};
    corruptions::masked<>{}.corrupt(engine, b.batch({.seed = 3, .use = purpose::corruption}, 0, 6));
    const mixture fold = prediction.fold(level);
    for (std::size_t e = 0; e < b.x.size(); ++e)
      CHECK(fold.first * b.damaged[e] + fold.second * b.target[e] == Approx(b.x[e]).margin(1e-12));
  };
  check(predictions::clean{});
  check(predictions::epsilon{});
}

TEST_CASE("masked: without boxes it is its noise", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  laws::minibatch<basic_cpu_engine<double>> b{4, 48, {level}, {mixture{0, 1}}}, plain = b;
  b.sample = plain.sample = {6, 8, 1};
  const basic_cpu_engine<double> engine{1};
  const noise_key key{.seed = 3, .step = 9, .use = purpose::corruption};
  corruptions::masked<>::params p;
  p.most = 0;
  corruptions::masked<>{p}.corrupt(engine, b.batch(key, 0, 4));
  corruptions::simplex{}.corrupt(engine, plain.batch(key, 0, 4));
  for (std::size_t e = 0; e < b.x.size(); ++e) {
    CHECK(b.damaged[e] == Approx(plain.damaged[e]).margin(1e-13));
    CHECK(b.target[e] == Approx(plain.target[e]).margin(1e-13));
  }
}

TEST_CASE("masked: numbers that cannot be", "[corruptions]") {
  on_gaussian::params p;
  p.smallest = 0.3;
  CHECK_THROWS_WITH(on_gaussian{p},
                    "corruptions::masked: smallest and largest must be 0 < low <= high <= 1, got 0.3 and 0.18");
  on_gaussian::params q;
  q.most = 65;
  CHECK_THROWS_WITH(on_gaussian{q}, "corruptions::masked: most must lie in [0, 64], got 65");
}

}  // namespace masked_test
