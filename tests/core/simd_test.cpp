// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/simd.hpp>
#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <vector>

namespace simd_test {

using namespace anodiff;

namespace {

using floats = simd::vec<float>;
constexpr int width = simd::lanes<float>;

/// f on each value, through every lane in turn.
template <class F>
std::vector<float> each(const std::vector<float>& x, F f) {
  std::vector<float> y(x.size());
  simd::for_each_vector<float>(static_cast<std::int64_t>(x.size()), [&](std::int64_t i, int count) {
    simd::store_part(y.data() + i, f(simd::load_part<floats>(x.data() + i, count)), count);
  });
  return y;
}

std::vector<float> range(double from, double to, int count) {
  std::vector<float> x;
  for (int i = 0; i < count; ++i) x.push_back(static_cast<float>(from + (to - from) * i / (count - 1)));
  return x;
}

}  // namespace

TEST_CASE("exp of floats keeps its bound", "[simd]") {
  const auto x = range(-87, 88, 200001);
  const auto y = each(x, [](const floats& v) { return simd::exp<floats>(v); });
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = std::exp(static_cast<double>(x[i]));
    worst = std::max(worst, std::abs(y[i] - want) / want);
  }
  CHECK(worst < 2e-7);
}

TEST_CASE("exp of floats saturates and never overflows", "[simd]") {
  const auto y = each({-1e30F, -100, 0, 100, 1e30F}, [](const floats& v) { return simd::exp<floats>(v); });
  CHECK(y[0] >= 0);
  CHECK(y[0] < 2e-38F);
  CHECK(y[1] == y[0]);
  CHECK(y[2] == 1);
  CHECK(std::isfinite(y[3]));
  CHECK(y[4] == y[3]);
}

TEST_CASE("log of floats keeps its bounds", "[simd]") {
  auto x = range(1e-3, 4, 100001);
  for (double v = 1.2e-38; v < 3e38; v *= 1.01) x.push_back(static_cast<float>(v));
  const auto y = each(x, [](const floats& v) { return simd::log<floats>(v); });
  double relative = 0, absolute = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = std::log(static_cast<double>(x[i])), error = std::abs(y[i] - want);
    if (std::abs(want) > 0.5) relative = std::max(relative, error / std::abs(want));
    if (std::abs(want) <= 0.5) absolute = std::max(absolute, error);
  }
  CHECK(relative < 3e-7);
  CHECK(absolute < 1e-7);
}

TEST_CASE("exp, log and sigmoid of doubles are the standard library's", "[simd]") {
  using doubles = simd::vec<double>;
  for (const double x : {0.25, 1.0, 3.5}) {
    CHECK(simd::exp<doubles>(simd::broadcast<doubles>(x))[0] == std::exp(x));
    CHECK(simd::log<doubles>(simd::broadcast<doubles>(x))[0] == std::log(x));
    CHECK(simd::sigmoid<doubles>(simd::broadcast<doubles>(x))[0] == 1 / (1 + std::exp(-x)));
  }
}

TEST_CASE("inverses of floats keep their bound", "[simd]") {
  std::vector<float> x;
  for (double v = 1e-37; v < 1e37; v *= 1.001) x.push_back(static_cast<float>(v));
  const auto y = each(x, [](const floats& v) { return simd::inverse<floats>(v); });
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(y[i] * static_cast<double>(x[i]) - 1));
  CHECK(worst < 1.5e-7);
}

TEST_CASE("square roots are correctly rounded", "[simd]") {
  const auto x = range(0, 100, 1001);
  const auto y = each(x, [](const floats& v) { return simd::sqrt<floats>(v); });
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == std::sqrt(x[i]));
  using doubles = simd::vec<double>;
  CHECK(simd::sqrt<doubles>(simd::broadcast<doubles>(2.0))[1] == std::sqrt(2.0));
}

TEST_CASE("parts of vectors leave the rest alone", "[simd]") {
  std::array<float, width + 2> x{};
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
  for (int count = 0; count <= width; ++count) {
    const floats v = simd::load_part<floats>(x.data(), count);
    for (int i = 0; i < width; ++i) CHECK(v[i] == (i < count ? static_cast<float>(i + 1) : 0.0F));
    std::array<float, width + 2> y{};
    simd::store_part(y.data(), simd::load<floats>(x.data()), count);
    for (int i = 0; i < width + 2; ++i)
      CHECK(y[static_cast<std::size_t>(i)] == (i < count ? static_cast<float>(i + 1) : 0.0F));
  }
}

TEST_CASE("sums and extremes work lane by lane", "[simd]") {
  floats a{}, b{};
  for (int i = 0; i < width; ++i) {
    a[i] = static_cast<float>(i) - 0.5F;
    b[i] = static_cast<float>(width - i);
  }
  float total = 0;
  for (int i = 0; i < width; ++i) {
    total += a[i];
    CHECK(simd::max<floats>(a, b)[i] == std::max(a[i], b[i]));
    CHECK(simd::min<floats>(a, b)[i] == std::min(a[i], b[i]));
    floats not_a_number = a;
    not_a_number[i] = std::numeric_limits<float>::quiet_NaN();
    CHECK(simd::max<floats>(not_a_number, b)[i] == b[i]);
    CHECK(simd::min<floats>(not_a_number, b)[i] == b[i]);
  }
  CHECK(simd::sum<floats>(a) == total);
  CHECK(simd::broadcast<floats>(-2.5F)[width - 1] == -2.5F);
}

TEST_CASE("multiply_low multiplies the lower halves of 64-bit lanes", "[simd]") {
  using wide = simd::vec<std::uint64_t, width / 2>;
  const wide a = std::uint64_t{0xdeadbeef00000003} - wide{}, b = std::uint64_t{0x12345678ffffffff} - wide{};
  const wide c = simd::multiply_low<wide>(a, b);
  for (int i = 0; i < width / 2; ++i) CHECK(c[i] == std::uint64_t{3} * 0xffffffff);
}

TEST_CASE("for_each_vector covers every element once", "[simd]") {
  for (std::int64_t n = 0; n <= 3 * width + 1; ++n) {
    std::int64_t next = 0;
    simd::for_each_vector<float>(n, [&](std::int64_t i, int count) {
      CHECK(i == next);
      next += count;
    });
    CHECK(next == n);
  }
}

}  // namespace simd_test
