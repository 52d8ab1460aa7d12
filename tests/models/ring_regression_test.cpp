// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Dense>
#include <anodiff/core/philox.hpp>
#include <anodiff/models/ring_regression.hpp>
#include <catch2/catch.hpp>
#include <map>

namespace ring_regression_test {

namespace ad = anodiff;

namespace {

constexpr ad::models::ring around{1, 3, 2};  // the eight places at one or three rows and columns, but for the corners

/// Independent normal numbers.
ad::tensor<float, 3> noise(std::uint32_t n, ad::index planes, ad::index rows = 40, ad::index columns = 50) {
  ad::tensor<float, 3> out{{planes, rows, columns}};
  for (ad::index e = 0; e < out.size(); ++e)
    out.data()[e] = static_cast<float>(ad::random_normal({.seed = 4, .draw = n}, static_cast<std::uint64_t>(e)));
  return out;
}
/// A Gaussian mean of noise over about one place.
ad::tensor<float, 3> field(std::uint32_t n) {
  auto out = noise(n, 1);
  const auto weights = ad::ops::gaussian_weights<float>(1);
  ad::tensor<float, 3> scratch{out.extents()};
  ad::ops::reference::run(ad::ops::blur<float>{out.data(), out.data(), scratch.data(), &weights, 1, 40, 50, 1});
  for (float& v : out.flat()) v *= 4;
  return out;
}
ad::models::ring_regression<float> learned(const ad::models::ring& where, ad::index planes, auto&& picture) {
  ad::models::ring_regression<float>::study study{where, planes};
  for (std::uint32_t n = 0; n < 20; ++n) study.add(picture(n));
  return study.conclude();
}

}  // namespace

TEST_CASE("ring_regression: without anything to guess from it is the Mahalanobis distance of a local mean",
          "[models]") {
  const auto made = learned(around, 2, [](std::uint32_t n) { return noise(n, 2); });
  const auto far = made.distance(noise(99, 2));
  double square = 0;
  for (const float v : far.flat()) square += static_cast<double>(v) * static_cast<double>(v);
  CHECK(square / static_cast<double>(far.size()) == Approx(2).epsilon(0.1));  // of two standard normals
}

TEST_CASE("ring_regression: it guesses as well as the exact conditional mean of a Gaussian field", "[models]") {
  // the variance left by the formula of the conditional Gaussian, S_bb - S_ba S_aa^-1 S_ab, from the field's covariance
  const auto made = learned(around, 1, field);
  std::vector<std::pair<ad::index, ad::index>> places;
  for (ad::index i = -3; i <= 3; i += 2)
    for (ad::index j = -3; j <= 3; j += 2)
      if (i * i + j * j > 1 && i * i + j * j <= 9) places.emplace_back(i, j);
  // noise through a Gaussian of variance 1: covariance 16 exp(-r^2 / 4) / (4 pi); the place's own mean adds 0.49 to
  // one of the two blurs, and to both for its own variance
  const auto gauss = [](double r2, double variance) {
    return 16 / (2 * M_PI * variance) * std::exp(-r2 / (2 * variance));
  };
  const auto n = static_cast<ad::index>(places.size());
  Eigen::MatrixXd ring(n, n);
  Eigen::VectorXd with(n);
  for (ad::index a = 0; a < n; ++a) {
    const auto [ai, aj] = places[static_cast<std::size_t>(a)];
    with[a] = gauss(static_cast<double>(ai * ai + aj * aj), 2 + 0.49);
    for (ad::index b = 0; b < n; ++b) {
      const auto [bi, bj] = places[static_cast<std::size_t>(b)];
      ring(a, b) = gauss(static_cast<double>((ai - bi) * (ai - bi) + (aj - bj) * (aj - bj)), 2);
    }
  }
  ring.diagonal().array() *= 1.002;  // the ridge
  const double exact = gauss(0, 2 + 2 * 0.49) - with.dot(ring.ldlt().solve(with));
  float floor = 0;
  made.tensors([&](std::string_view name, std::span<const float> values) {
    if (name == "whiten") floor = values[0];
  });
  CHECK(1 / (static_cast<double>(floor) * static_cast<double>(floor)) == Approx(exact).epsilon(0.1));
}

TEST_CASE("ring_regression: a deviation as wide as the hole stands out from a field that varies more", "[models]") {
  const ad::models::ring wide{5, 9, 2};
  const auto made = learned(wide, 1, field);
  auto odd = field(77);
  for (ad::index i = 16; i < 23; ++i)
    for (ad::index j = 20; j < 27; ++j) odd.data()[i * 50 + j] += 4;
  const auto plain = made.distance(field(77)), seen = made.distance(odd);
  CHECK(seen(19, 23) > 2.5F);
  CHECK(seen(19, 23) > plain(19, 23) + 1.5F);
  CHECK(seen(2, 2) == Approx(plain(2, 2)));
}

TEST_CASE("ring_regression: what is stored gives the same distances; other sizes are refused", "[models]") {
  const auto made = learned(around, 2, [](std::uint32_t n) { return noise(n, 2); });
  std::map<std::string, std::vector<float>, std::less<>> stored;
  made.tensors([&](std::string_view name, std::span<const float> values) {
    stored[std::string{name}] = {values.begin(), values.end()};
  });
  const auto find = [&](std::string_view name) -> const std::vector<float>& { return stored.find(name)->second; };
  CHECK(ad::models::ring_regression<float>::restored(around, 2, find).distance(noise(5, 2)) ==
        made.distance(noise(5, 2)));
  CHECK_THROWS_WITH(ad::models::ring_regression<float>::restored(around, 3, find), Catch::Contains("weights: needs"));
  CHECK_THROWS_WITH(made.distance(noise(5, 1)), "models::ring_regression: has learned from 2 maps, got 1");
  CHECK_THROWS_WITH((ad::models::ring_regression<float>::study{around, 1}.conclude()),
                    "models::ring_regression: needs maps to learn from");
}

TEST_CASE("ring_regression: flat maps and maps smaller than the ring are no trouble", "[models]") {
  const auto flat = [](std::uint32_t) { return ad::tensor<float, 3>{{1, 2, 1}}; };
  const auto made = learned({3, 9, 2}, 1, flat);
  const auto far = made.distance(flat(0));
  for (const float v : far.flat()) CHECK(v == 0);
}

}  // namespace ring_regression_test
