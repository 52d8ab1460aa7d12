// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/patch.hpp>
#include <anodiff/predictions/velocity.hpp>
#include "laws/corruption_laws.hpp"

namespace patch_test {

using namespace anodiff;
using on_gaussian = corruptions::patch<corruptions::gaussian>;

TEST_CASE("patch: a fixed grid covers a picture, the last patches ending at its border", "[corruptions]") {
  const on_gaussian corruption{[] {
    on_gaussian::params p;
    p.size = 4;
    return p;
  }()};
  CHECK(corruption.count(8, 8) == 4);
  CHECK(corruption.count(9, 4) == 3);
  CHECK(corruption.count(3, 2) == 1);
  const auto last = corruption.at(2, 9, 4);
  CHECK((last.top == 5 && last.left == 0 && last.height == 4 && last.width == 4));
  const auto small = corruption.at(0, 3, 2);
  CHECK((small.top == 0 && small.left == 0 && small.height == 3 && small.width == 2));
}

TEST_CASE("patch: noise within, the clean picture around, and no loss there", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  laws::minibatch<basic_cpu_engine<double>> b{8, 8 * 6, {level}, {predictions::velocity{}.target(level)}};
  b.sample = {8, 6, 1};
  const basic_cpu_engine<double> engine{2};
  on_gaussian::params p;
  p.size = 4;
  const on_gaussian corruption{p};
  const noise_key key{.seed = 3, .step = 7, .use = purpose::corruption};
  const auto batch = b.batch(key, 0, 8);
  corruption.corrupt(engine, batch);
  const std::vector<double> output(b.x.size(), 5);
  const auto target = b.target;
  corruption.narrow(engine, batch, output.data());
  std::array<int, 4> chosen{};
  for (std::size_t i = 0; i < 8; ++i) {
    const auto where = corruption.drawn(key, b.draws[i], b.sample);
    ++chosen[static_cast<std::size_t>(where.top / 4 * 2 + (where.left > 0 ? 1 : 0))];
    for (std::size_t e = 0; e < 48; ++e) {
      const auto y = static_cast<laws::index>(e / 6), x = static_cast<laws::index>(e % 6);
      const bool within = y >= where.top && y < where.top + 4 && x >= where.left && x < where.left + 4;
      noise_key own = key;
      own.draw = b.draws[i];
      const double clean = b.x[i * 48 + e], eps = random_normal(own, e);
      CHECK(b.damaged[i * 48 + e] == Approx(within ? 0.8 * clean + 0.6 * eps : clean).margin(1e-5));
      CHECK(b.target[i * 48 + e] == (within ? target[i * 48 + e] : 5));
      if (within) CHECK(b.target[i * 48 + e] == Approx(0.8 * eps - 0.6 * clean).margin(1e-5));
    }
  }
  CHECK(std::ranges::count(chosen, 0) <= 1);  // of four places, eight samples
}

TEST_CASE("patch: numbers that cannot be", "[corruptions]") {
  on_gaussian::params p;
  p.size = 0;
  CHECK_THROWS_WITH(on_gaussian{p}, "corruptions::patch: size must lie in [1, 4096], got 0");
  corruptions::patch<>::params q;
  q.octaves = 17;
  CHECK_THROWS_WITH(corruptions::patch<>{q}, "corruptions::simplex: octaves must lie in [1, 16], got 17");
  laws::minibatch<cpu_engine> row{2, 8, {noise_level{1, 1, 0}}, {mixture{0, 1}}};
  const cpu_engine engine{1};
  CHECK_THROWS_WITH(on_gaussian{}.corrupt(engine, row.batch({}, 0, 2)),
                    "corruptions::patch: needs samples (height, width, channels), got 1 dimensions");
}

}  // namespace patch_test
