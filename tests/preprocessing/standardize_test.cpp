// SPDX-License-Identifier: Apache-2.0
#include "laws/preprocessor_laws.hpp"

namespace standardize_test {

using namespace anodiff;
using laws::index;
using preprocessing::standardize;

namespace {

tensor<double, 2> column(const std::vector<double>& values) {
  tensor<double, 2> x{{static_cast<index>(values.size()), 1}};
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

}  // namespace

TEST_CASE("standardize: two columns by hand", "[preprocessing]") {
  tensor<double, 2> x{{4, 2}};
  const double values[] = {1, 10, 2, 10, 3, 30, 6, 30};
  std::copy(std::begin(values), std::end(values), x.data());
  const auto fitted = standardize{}.fit(x.view());
  CHECK(fitted.offset()[0] == 3);
  CHECK(fitted.offset()[1] == 20);
  CHECK(fitted.scale()[0] == Approx(std::sqrt(14.0 / 4)).epsilon(1e-15));  // the population's: divided by n
  CHECK(fitted.scale()[1] == 10);
  std::vector<float> z(2);
  fitted.apply(std::vector<double>{3, 40}, z);
  CHECK(z == std::vector<float>{0, 2});
  CHECK(fitted.invert(1, 2.0F) == 40);
}

TEST_CASE("standardize: a constant column keeps its scale", "[preprocessing]") {
  // sums of 0.1 do not divide back to 0.1: rounding must not pass for a deviation, however many rows
  for (const double constant : {0.0, 0.1, -0.1, 1.0 / 3, 1e9, 1e9 + 0.1, -1e300, 5e-324})
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 2, 3, 10, 1000, 300'000}) {
      const auto fitted = standardize{}.fit(column(std::vector<double>(n, constant)).view());
      INFO(constant << ", " << n << " rows");
      CHECK(fitted.scale()[0] == 1);
      CHECK(fitted.offset()[0] == constant);
      std::vector<float> z(1);
      fitted.apply(std::vector<double>{constant}, z);
      CHECK(z[0] == 0);
    }
}

TEST_CASE("standardize: a value off a constant column stands out by its difference", "[preprocessing]") {
  const auto fitted = standardize{}.fit(column(std::vector<double>(1000, 0.1)).view());
  std::vector<float> z(1);
  fitted.apply(std::vector<double>{5.1}, z);
  CHECK(z[0] == Approx(5.0F));
}

TEST_CASE("standardize: small deviations on a large offset are kept", "[preprocessing]") {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e9 + (i % 2 == 0 ? 0.25 : -0.25));
  const auto fitted = standardize{}.fit(column(values).view());
  CHECK(fitted.offset()[0] == 1e9);
  CHECK(fitted.scale()[0] == Approx(0.25).epsilon(1e-12));
}

TEST_CASE("standardize: a single row", "[preprocessing]") {
  const auto fitted = standardize{}.fit(column({42}).view());
  CHECK(fitted.offset()[0] == 42);
  CHECK(fitted.scale()[0] == 1);
}

TEST_CASE("standardize: deviations whose squares leave the range of numbers", "[preprocessing]") {
  for (const double size : {1e-200, 1e200}) {
    const auto fitted = standardize{}.fit(column({size, -size}).view());
    CHECK(fitted.offset()[0] == 0);
    CHECK(fitted.scale()[0] == size);
  }
  CHECK_THROWS_WITH(standardize{}.fit(column({1e308, -1e308}).view()),
                    "preprocessing::standardize: the values of column 0 lie too far apart to be standardised");
  CHECK_THROWS_AS(standardize{}.fit(column({1e308, -1e308}).view()), data_error);
}

}  // namespace standardize_test
