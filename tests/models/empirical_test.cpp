// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/empirical.hpp>
#include "laws/denoiser_laws.hpp"

using namespace anodiff;
using models::empirical;

TEST_CASE("empirical: the posterior mean over the rows, by hand", "[models]") {
  laws::check_policy<empirical<cpu_engine>>({.reference_rows = 3});
  tensor<float, 2> x{{3, 1}};
  x(0, 0) = -1;
  x(1, 0) = 0;
  x(2, 0) = 2;
  empirical<basic_cpu_engine<double>> model{{}, basic_cpu_engine<double>{1}};
  model.remember(x, 0);
  laws::query<double> q{8, 1, 2};
  q.levels = {{0.8, 0.6, 0}, {1, 0.05, 0}};
  const auto got = q.ask(model);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto level = q.levels[static_cast<std::size_t>(q.level[i])];
    double total = 0, sum = 0;
    for (const double r : {-1.0, 0.0, 2.0}) {
      const double w = std::exp(-std::pow((q.x[i] - level.alpha * r) / level.sigma, 2) / 2);
      total += w;
      sum += w * r;
    }
    CHECK(got[i] == Approx(sum / total).margin(1e-12));
  }
}

TEST_CASE("empirical: a row is the same in any batch and on any threads", "[models][laws]") {
  for (const laws::index d : {1, 6, 33}) {
    tensor<float, 2> x{{500, d}};
    for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(3, i, -1, 2));
    const laws::query<float> q{70, d, 4};
    std::vector<float> whole;
    for (const int threads : {1, 2, 3}) {
      empirical<cpu_engine> model{{}, cpu_engine{threads}};
      model.remember(x, 0);
      const auto out = q.ask(model);
      if (threads == 1) whole = out;
      CHECK(out == whole);
      auto run = model.prepare(q.levels, 70);
      bool same = true;
      for (laws::index i = 0; i < 70; ++i) {
        const float* alone = run.output(q.x.data() + i * d, q.level.data() + i, 1);
        same = same && std::equal(alone, alone + d, whole.begin() + i * d);
      }
      CHECK(same);
    }
  }
}

TEST_CASE("empirical: far from all rows the nearest one is given", "[models]") {
  tensor<float, 2> x{{2, 1}};
  x(0, 0) = -1;
  x(1, 0) = 1;
  empirical<cpu_engine> model{{}, cpu_engine{1}};
  model.remember(x, 0);
  const std::vector<noise_level> levels{{1, 0.1, 0}};
  auto run = model.prepare(levels, 1);
  const float far = 1e6F;  // every weight underflows
  const std::int32_t zero = 0;
  CHECK(*run.output(&far, &zero, 1) == 1);
}

TEST_CASE("empirical: refuses a level without noise", "[models]") {
  tensor<float, 2> x{{2, 1}};
  empirical<cpu_engine> model{{}, cpu_engine{1}};
  model.remember(x, 0);
  const std::vector<noise_level> levels{clean_level};
  CHECK_THROWS_WITH(model.prepare(levels, 1), "models::empirical: needs levels with noise, got sigma 0");
}
