// SPDX-License-Identifier: Apache-2.0
#include <anodiff/preprocessing/mixed.hpp>
#include <limits>

#include "laws/preprocessor_laws.hpp"

namespace mixed_test {

using namespace anodiff;
using laws::index;
using preprocessing::mixed;

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

std::vector<float> applied(const mixed::fitted& by, const std::vector<double>& row) {
  std::vector<float> z(static_cast<std::size_t>(by.outputs()));
  by.apply(row, z);
  return z;
}
tensor<double, 2> table(index rows, const std::vector<double>& values) {
  tensor<double, 2> x{{rows, static_cast<index>(values.size()) / rows}};
  std::ranges::copy(values, x.data());
  return x;
}

}  // namespace

TEST_CASE("mixed: numbers have the bits that standardize gives", "[preprocessing]") {
  tensor<double, 2> x{{40, 3}};
  for (std::size_t i = 0; i < 120; ++i) x.data()[i] = laws::uniform(5, i, -3, 1000);
  const auto plain = preprocessing::standardize{}.fit(x.view());
  const auto both = mixed{}.fit(x.view());
  REQUIRE(both.outputs() == 6);
  std::vector<float> z(3);
  for (index i = 0; i < 40; ++i) {
    plain.apply(x.row(i), z);
    const auto wide = applied(both, {x.row(i).begin(), x.row(i).end()});
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(wide[2 * j] == z[j]);
      CHECK(wide[2 * j + 1] == 0);
    }
  }
}

TEST_CASE("mixed: a column of categories by hand", "[preprocessing]") {
  const auto x = table(4, {0, 0, 1, gap});
  const std::vector<index> categories{2};
  const auto fitted = mixed{}.fit(x.view(), categories);
  REQUIRE(fitted.outputs() == 4);
  // shares 2/3, 1/3, 0; smoothed 2.5/4.5, 1.5/4.5, 0.5/4.5
  const double p0 = 2.5 / 4.5, p1 = 1.5 / 4.5, p2 = 0.5 / 4.5, c = 2.0 / 9 / p0 + 2.0 / 9 / p1;
  const double missing = std::sqrt(1.5 / 5);
  const auto at = [&](double v) { return applied(fitted, {v}); };
  CHECK(at(0)[0] == Approx(1.0 / 3 / std::sqrt(p0 * c)));
  CHECK(at(0)[1] == Approx(-1.0 / 3 / std::sqrt(p1 * c)));
  CHECK(at(0)[2] == 0);
  CHECK(at(0)[3] == Approx(-0.25 / missing));
  CHECK(at(2)[2] == Approx(1 / std::sqrt(p2 * c)));
  CHECK(at(-1) == at(2));
  CHECK(at(0.5) == at(2));
  CHECK(at(1e300) == at(2));
  CHECK(at(gap)[0] == 0);
  CHECK(at(gap)[2] == 0);
  CHECK(at(gap)[3] == Approx(0.75 / missing));
  CHECK(fitted.offset()[0] == 0);
  for (const float z : {at(1)[1], at(2)[1]}) CHECK(fitted.invert(1, z) == Approx(z == at(1)[1] ? 1 : 0).margin(1e-6));
}

TEST_CASE("mixed: a column of categories weighs like a numeric one, however many there are", "[preprocessing]") {
  const index kinds = GENERATE(2, 3, 40);
  tensor<double, 2> x{{400, 1}};
  for (index i = 0; i < 400; ++i) x(i, 0) = static_cast<double>(i % 7 == 0 ? 0 : i % kinds);
  const std::vector<index> categories{kinds};
  const auto fitted = mixed{}.fit(x.view(), categories);
  double variance = 0, mean = 0;
  for (index i = 0; i < 400; ++i)
    for (const float z : applied(fitted, {x(i, 0)})) {
      variance += static_cast<double>(z) * static_cast<double>(z) / 400;
      mean += static_cast<double>(z) / 400;
    }
  CHECK(variance == Approx(1).epsilon(1e-5));
  CHECK(mean == Approx(0).margin(1e-5));
}

TEST_CASE("mixed: a gap lies at the centre and shows beside it, the more the rarer gaps are", "[preprocessing]") {
  const auto x = table(4, {1, 1, gap, 2, 3, 3, 5, 6});  // (4, 2)
  const auto fitted = mixed{}.fit(x.view());
  CHECK(fitted.offset()[0] == 3);
  const auto z = applied(fitted, {gap, gap});
  CHECK(z[0] == 0);
  CHECK(z[1] == Approx(0.75 / std::sqrt(1.5 / 5)));
  CHECK(z[2] == 0);
  CHECK(z[3] == Approx(1 / std::sqrt(0.5 / 5)));
  const auto all = mixed{}.fit(table(2, {gap, gap}).view());
  CHECK(applied(all, {gap}) == std::vector<float>{0, 0});
  CHECK(applied(all, {3})[0] == 3);
}

TEST_CASE("mixed: by rank every continuous column becomes normal, and the way back is known", "[preprocessing]") {
  constexpr index n = 3000;
  tensor<double, 2> x{{n, 2}};
  for (index i = 0; i < n; ++i) {
    x(i, 0) = std::exp(5 * laws::uniform(3, static_cast<std::size_t>(i), -1, 1));
    x(i, 1) = 4;
  }
  const auto fitted = mixed{{.numeric = preprocessing::numeric_scale::quantile}}.fit(x.view());
  double mean = 0, square = 0, fourth = 0;
  for (index i = 0; i < n; ++i) {
    const auto z = static_cast<double>(applied(fitted, {x(i, 0), 4})[0]);
    mean += z / n;
    square += z * z / n;
    fourth += std::pow(z, 4) / n;
    CHECK(fitted.invert(0, static_cast<float>(z)) == Approx(x(i, 0)).epsilon(1e-4).margin(1e-6 * fitted.scale()[0]));
  }
  CHECK(mean == Approx(0).margin(1e-2));
  CHECK(square == Approx(1).epsilon(1e-2));
  CHECK(fourth == Approx(3).epsilon(0.1));
  const auto at = [&](double v) { return applied(fitted, {v, 4})[0]; };
  CHECK(at(300) - at(200) == Approx(100 / fitted.scale()[0]).epsilon(1e-4));
  CHECK(fitted.invert(0, at(300)) == Approx(300).epsilon(1e-4));
  CHECK(applied(fitted, {1, 5})[2] == 1);
  const auto again = laws::stored_and_restored(fitted, 2);
  CHECK(applied(again, {2, 5}) == applied(fitted, {2, 5}));
}

TEST_CASE("mixed: tables that it cannot have written are refused", "[preprocessing][file]") {
  std::map<std::string, std::vector<double>, std::less<>> good{
      {"categories", {0, 2}}, {"offset", {0, 1}},      {"centre", {0, 0, 0, 0, 0, 0}}, {"spread", {1, 1, 1, 1, 1, 1}},
      {"knots", {2, 0}},      {"knot_values", {1, 2}}, {"knot_images", {-1, 1}}};
  const auto refusal = [&](const char* name, std::vector<double> values) {
    auto tables = good;
    tables[name] = std::move(values);
    std::string message;
    try {
      (void)mixed::fitted::restored(2, [&](std::string_view table_name, index count) {
        const auto& found = tables[std::string{table_name}];
        check<data_error>(count < 0 || static_cast<index>(found.size()) == count, "size");
        return found;
      });
    } catch (const data_error& fault) {
      message = fault.what();
    }
    return message;
  };
  CHECK(refusal("offset", {0, 0}).empty());
  CHECK(refusal("categories", {0, 3}) == "size");
  CHECK(refusal("categories", {0, 1.5}) == "preprocessing.categories must be a whole number in [0, 1048576], got 1.5");
  CHECK(refusal("categories", {-1, 2}).starts_with("preprocessing.categories must be a whole number in [0, "));
  CHECK(refusal("categories", {0, 1e300}).starts_with("preprocessing.categories must be a whole number in [0, "));
  CHECK(refusal("spread", {1, 1, 0, 1, 1, 1}) == "preprocessing.spread must be above 0, got 0");
  CHECK(refusal("knots", {0, 2}).starts_with("preprocessing.knots must be 0 or at least 2, and 0 for a column of "));
  CHECK(refusal("knots", {3, 0}) == "preprocessing.knots must be a whole number in [0, 2], got 3");
  CHECK(refusal("knot_values", {2, 1}) == "preprocessing.knots of column 0 must rise");
  CHECK(refusal("knot_images", {1, 1}) == "preprocessing.knots of column 0 must rise");
}

}  // namespace mixed_test
