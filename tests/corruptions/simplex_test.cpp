// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/simplex.hpp>
#include <anodiff/predictions/velocity.hpp>
#include "laws/corruption_laws.hpp"

namespace simplex_test {

using namespace anodiff;
using corruptions::simplex;

TEST_CASE("simplex: alpha x + sigma n, and the target of the same n, which is the reference's", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  laws::minibatch<basic_cpu_engine<double>> b{3, 9 * 7, {level}, {predictions::velocity{}.target(level)}};
  b.sample = {9, 7, 1};
  const basic_cpu_engine<double> engine{1};
  const noise_key key{.seed = 3, .step = 7, .use = purpose::corruption};
  simplex{{.octaves = 3, .decay = 0.5, .period = 16}}.corrupt(engine, b.batch(key, 0, 3));
  std::vector<double> n(b.x.size());
  ops::reference::run(ops::simplex_noise<double>{n.data(), 3, 9, 7, 1, 3, 0.5, 16, {key, b.draws.data(), 0}});
  double worst = 0;
  for (std::size_t e = 0; e < n.size(); ++e) {
    worst = std::max(worst, std::abs(b.damaged[e] - (0.8 * b.x[e] + 0.6 * n[e])));
    worst = std::max(worst, std::abs(b.target[e] - (0.8 * n[e] - 0.6 * b.x[e])));
  }
  CHECK(worst < 10 * ops::simplex_bound);
}

TEST_CASE("simplex: a run that starts noised starts with the same noise for every row", "[corruptions]") {
  std::vector<float> two(2 * 35), one(35);
  const std::vector<laws::index> sample{5, 7, 1};
  const cpu_engine engine{1};
  const noise_key key{.seed = 3, .draw = 1, .use = purpose::scoring};
  const simplex noise{};
  noise.noise(engine, {.out = two.data(), .rows = 2, .row_size = 35, .key = key, .sample = sample});
  noise.noise(engine, {.out = one.data(), .rows = 1, .row_size = 35, .key = key, .sample = sample});
  CHECK(std::equal(one.begin(), one.end(), two.begin()));
  CHECK(std::equal(one.begin(), one.end(), two.begin() + 35));
}

TEST_CASE("simplex: numbers that cannot be", "[corruptions]") {
  CHECK_THROWS_WITH(simplex({.octaves = 0}), "corruptions::simplex: octaves must lie in [1, 16], got 0");
  CHECK_THROWS_WITH(simplex({.decay = 0}), "corruptions::simplex: decay must lie in (0, 1], got 0");
  CHECK_THROWS_WITH(
      simplex({.period = 16}),
      "corruptions::simplex: the period must be at most 1e6 pixels and that of the last octave at least 1, "
      "got 16 and 0.5");
  laws::minibatch<cpu_engine> row{2, 8, {noise_level{1, 1, 0}}, {mixture{0, 1}}};
  const cpu_engine engine{1};
  CHECK_THROWS_WITH(simplex{}.corrupt(engine, row.batch({}, 0, 2)),
                    "corruptions::simplex: needs samples (height, width, channels), got 1 dimensions");
}

}  // namespace simplex_test
