// SPDX-License-Identifier: Apache-2.0
#include <anodiff/preprocessing/tail_taming.hpp>
#include "laws/policy_laws.hpp"

namespace tail_taming_test {

using namespace anodiff;
using preprocessing::tail_taming;

namespace {

/// A column whose values are given, standardised.
tensor<float, 2> column(std::vector<double> values) {
  double mean = 0, square = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (const double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size());
  tensor<float, 2> x{{static_cast<laws::index>(values.size()), 1}};
  for (std::size_t i = 0; i < values.size(); ++i)
    x.flat()[i] = static_cast<float>((values[i] - mean) / std::sqrt(square));
  return x;
}
double fourth_moment(const tensor<float, 2>& x, const tail_taming& tame) {
  double sum = 0;
  for (const float v : x.flat()) sum += std::pow(static_cast<double>(tame(0, v)), 4) / static_cast<double>(x.rows());
  return sum;
}

}  // namespace

TEST_CASE("tail_taming: a light-tailed column passes unchanged", "[preprocessing]") {
  std::vector<double> even;
  for (int i = 0; i < 100; ++i) even.push_back(i);
  const auto x = column(even);
  const tail_taming tame{x};
  for (const float v : x.flat()) CHECK(tame(0, v) == v);
  CHECK(tame(0, 100.0F) == 100.0F);
}

TEST_CASE("tail_taming: a heavy-tailed column becomes normal in shape, in mean and in deviation", "[preprocessing]") {
  std::vector<double> heavy;
  for (int i = 0; i < 1001; ++i) heavy.push_back(std::pow((i - 500) / 500.0, 15));
  const auto x = column(heavy);
  const tail_taming tame{x};
  double mean = 0, square = 0, before = 0;
  for (const float v : x.flat()) {
    const auto y = static_cast<double>(tame(0, v));
    mean += y / 1001;
    square += y * y / 1001;
    before += std::pow(static_cast<double>(v), 4) / 1001;
  }
  CHECK(before > 6);  // so the whole column is mapped
  CHECK(mean == Approx(0).margin(1e-5));
  CHECK(square == Approx(1).epsilon(1e-4));
  CHECK(fourth_moment(x, tame) == Approx(3).epsilon(0.05));
}

TEST_CASE("tail_taming: rises strictly, and with slope 1 beyond what was seen", "[preprocessing][laws]") {
  std::vector<double> heavy;
  for (int i = 0; i < 50; ++i) heavy.push_back(std::exp(i / 5.0));
  const tail_taming tame{column(heavy)};
  float last = tame(0, -50.0F);
  for (float v = -49; v < 50; v += 0.25F) {
    const float now = tame(0, v);
    CHECK(now > last);
    last = now;
  }
  CHECK(tame(0, 40.0F) - tame(0, 39.0F) == Approx(1).epsilon(1e-4));
  CHECK(tame(0, -39.0F) - tame(0, -40.0F) == Approx(1).epsilon(1e-4));
}

TEST_CASE("tail_taming: ties share their middle rank; a single value keeps its difference", "[preprocessing]") {
  const auto x = column({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9});
  const tail_taming tame{x};
  CHECK(tame(0, x(0, 0)) < tame(0, x(12, 0)));
  CHECK(tame(0, x(12, 0)) < tame(0, x(13, 0)));
  tensor<float, 2> constant{{5, 1}};
  CHECK(tail_taming{constant}(0, 2.5F) == 2.5F);
}

TEST_CASE("tail_taming: what is stored comes back to the bit, and nothing else is taken", "[preprocessing][file]") {
  tensor<float, 2> x{{40, 3}};
  for (laws::index i = 0; i < 40; ++i) {
    x(i, 0) = static_cast<float>(std::sinh(static_cast<double>(i) / 4 - 5) / 20);
    x(i, 1) = static_cast<float>(i) / 40;
    x(i, 2) = i < 38 ? 0.0F : static_cast<float>(i - 30);
  }
  const tail_taming tame{x};
  const auto stored = tame.stored();
  const auto back = tail_taming::restored(stored);
  CHECK(back.columns() == 3);
  CHECK(back.stored() == stored);
  for (laws::index j = 0; j < 3; ++j)
    for (float v = -12; v < 12; v += 0.37F) CHECK(back(j, v) == tame(j, v));

  auto bad = stored;
  bad(0, 0) = 2;
  CHECK_THROWS_WITH(tail_taming::restored(bad),
                    "preprocessing::tail_taming: the weight of column 0 must lie in [0, 1], got 2");
  bad = stored;
  std::swap(bad(0, 1), bad(0, 2));
  CHECK_THROWS_WITH(tail_taming::restored(bad),
                    "preprocessing::tail_taming: the values of column 0 must be finite and rise");
  const tensor<float, 2> even{{3, 4}};
  CHECK_THROWS_WITH(tail_taming::restored(even),
                    "preprocessing::tail_taming: needs an odd number of values a column, at least 3, got 4");
}

}  // namespace tail_taming_test
