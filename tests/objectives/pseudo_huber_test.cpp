// SPDX-License-Identifier: Apache-2.0
#include <anodiff/objectives/pseudo_huber.hpp>
#include "laws/objective_laws.hpp"

using namespace anodiff;
using objectives::loss_weighting;
using objectives::pseudo_huber;
using objectives::squared_error;

namespace {

template <class Objective>
double loss_of(const Objective& objective, laws::measured<cpu_engine>& m) {
  cpu_engine machine{1};
  return m.run(objective, machine);
}

}  // namespace

TEST_CASE("pseudo_huber: errors of 0, 1 and √8 corners by hand", "[objectives]") {
  laws::measured<cpu_engine> m{1, 3, {0.25F}};  // u = e / 2
  m.output = {1, 3, 4};
  m.target = {1, 1, 4 - 2 * std::sqrt(8.0F)};
  // 2 (√2 − 1) and 2 (3 − 1)
  CHECK(loss_of(pseudo_huber{{.corner = 1}}, m) == Approx((2 * (std::sqrt(2.0) - 1) + 4) / 3).epsilon(1e-6));
  // 2 / 3 columns * weight * e / √(1 + u²)
  CHECK(m.gradient[0] == 0);
  CHECK(m.gradient[1] == Approx(2.0 / 3 * 0.25 * 2 / std::sqrt(2.0)).epsilon(1e-6));
  CHECK(m.gradient[2] == Approx(2.0 / 3 * 0.25 * 2 * std::sqrt(8.0) / 3).epsilon(1e-6));
}

TEST_CASE("pseudo_huber: a far corner is the squared error, a near one the absolute error", "[objectives]") {
  laws::measured<cpu_engine> m{7, 33, {1, 0.25F, 3}};
  const double square = loss_of(squared_error{}, m);
  const auto gradient = m.gradient;
  CHECK(loss_of(pseudo_huber{{.corner = 1e4}}, m) == Approx(square).epsilon(1e-6));
  for (std::size_t e = 0; e < gradient.size(); ++e) CHECK(m.gradient[e] == Approx(gradient[e]).margin(1e-6));
  double size = 0;
  for (std::size_t e = 0; e < gradient.size(); ++e) {
    const double w = std::sqrt(static_cast<double>(m.weight[static_cast<std::size_t>(m.level[e / 33])]));
    size += w * std::abs(static_cast<double>(m.output[e] - m.target[e])) / static_cast<double>(gradient.size());
  }
  CHECK(loss_of(pseudo_huber{{.corner = 1e-4}}, m) == Approx(2e-4 * size).epsilon(1e-3));
}

TEST_CASE("pseudo_huber: weighs levels as squared_error does", "[objectives]") {
  const pseudo_huber objective{{.weighting = loss_weighting::soft_min_snr, .gamma = 10}};
  for (const double sigma : {0.05, 0.3, 1.0})
    CHECK(objective.weigh({1, sigma, 0}, 1) == Approx(1 / (sigma * sigma + 0.1)));
}

TEST_CASE("pseudo_huber: refuses numbers out of range", "[objectives]") {
  CHECK_THROWS_WITH(pseudo_huber({.corner = 0}), "objectives::pseudo_huber: corner must lie in (0, 1e9], got 0");
  CHECK_THROWS_AS(pseudo_huber({.corner = std::nan("")}), invalid_argument);
  CHECK_THROWS_AS(pseudo_huber({.gamma = 0}), invalid_argument);
}
