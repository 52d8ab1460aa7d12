// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/predictions/velocity.hpp>
#include "laws/corruption_laws.hpp"

namespace gaussian_test {

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("corruptions keep the laws of their concept", "[corruptions][laws]", laws::all_corruptions) {
  laws::check_policy<TestType>();
  for (const laws::index d : {1, 2, 7, 32, 1030}) {
    INFO(d << " columns");
    laws::check_corruption<TestType, cpu_engine>(TestType{}, {d});
    laws::check_corruption<TestType, basic_cpu_engine<double>>(TestType{}, {d});
  }
}

TEMPLATE_LIST_TEST_CASE("corruptions of pictures keep the laws", "[corruptions][laws]", laws::picture_corruptions) {
  laws::check_policy<TestType>();
  laws::check_corruption<TestType, cpu_engine>(TestType{}, {16, 12, 1});
  laws::check_corruption<TestType, basic_cpu_engine<double>>(TestType{}, {9, 8, 3});
}

TEST_CASE("every corruption stands in the list", "[corruptions][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_corruptions{}, laws::picture_corruptions{}))>("corruptions");
}

TEST_CASE("gaussian: alpha x + sigma eps, and the target of the same eps", "[corruptions]") {
  const noise_level level{0.8, 0.6, 0};
  const mixture target = predictions::velocity{}.target(level);
  laws::minibatch<basic_cpu_engine<double>> b{5, 9, {level}, {target}};
  const basic_cpu_engine<double> engine{1};
  const noise_key key{.seed = 3, .step = 7, .use = purpose::corruption};
  corruptions::gaussian{}.corrupt(engine, b.batch(key, 0, 5));
  double worst = 0;
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 9; ++j) {
      noise_key own = key;
      own.draw = b.draws[i];
      const double eps = random_normal(own, j), x = b.x[i * 9 + j];
      worst = std::max(worst, std::abs(b.damaged[i * 9 + j] - (0.8 * x + 0.6 * eps)));
      worst = std::max(worst, std::abs(b.target[i * 9 + j] - (0.8 * eps - 0.6 * x)));
    }
  CHECK(worst < 2 * ops::normal_bound);
}

TEST_CASE("gaussian: nothing changes at the clean level", "[corruptions]") {
  laws::minibatch<cpu_engine> b{17, 33, {clean_level}, {mixture{1, 0}}};
  const cpu_engine engine{1};
  corruptions::gaussian{}.corrupt(engine, b.batch({.seed = 3}, 0, 17));
  CHECK(b.damaged == b.x);
  CHECK(b.target == b.x);
}

TEST_CASE("gaussian: damage has the level's mean and variance", "[corruptions]") {
  laws::minibatch<cpu_engine> b{2000, 16, {noise_level{0.6, 0.8, 0}}, {mixture{0, 1}}};
  const cpu_engine engine{1};
  corruptions::gaussian{}.corrupt(engine, b.batch({.seed = 21, .use = purpose::corruption}, 0, 2000));
  double sum = 0, square = 0;
  for (std::size_t i = 0; i < b.x.size(); ++i) {
    const double e = (static_cast<double>(b.damaged[i]) - 0.6 * static_cast<double>(b.x[i])) / 0.8;
    sum += e;
    square += e * e;
  }
  const auto n = static_cast<double>(b.x.size());
  CHECK(std::abs(sum / n) < 4 / std::sqrt(n));
  CHECK(std::abs(square / n - 1) < 4 * std::sqrt(2 / n));
}

}  // namespace gaussian_test
