// SPDX-License-Identifier: Apache-2.0
#include "laws/prediction_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("predictions invert at any level", "[predictions][laws]", laws::all_predictions) {
  laws::check_policy<TestType>();
  const TestType prediction{};
  double worst = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    // alpha and sigma are drawn apart, so that most levels are not variance-preserving
    const noise_level level{std::pow(10, laws::uniform(1, 4 * i, -6, 0)),
                            std::pow(10, laws::uniform(1, 4 * i + 1, -6, 2)), 0};
    const double clean = laws::uniform(1, 4 * i + 2, -3, 3), noise = laws::uniform(1, 4 * i + 3, -3, 3);
    worst = std::max(worst, laws::inversion_error(prediction, level, clean, noise));
  }
  CHECK(worst < 8 * laws::ulp);
}

TEMPLATE_LIST_TEST_CASE("predictions invert at the ends", "[predictions][laws]", laws::all_predictions) {
  const TestType prediction{};
  CHECK(laws::inversion_error(prediction, clean_level, 1.7, -0.3) < 4 * laws::ulp);
  CHECK(laws::inversion_error(prediction, {1, 80, 0}, 1.7, -0.3) < 4 * laws::ulp);  // variance-exploding
  if (!TestType::needs_signal) CHECK(laws::inversion_error(prediction, {0, 1, 0}, 1.7, -0.3) < 4 * laws::ulp);
}

TEST_CASE("targets and folds by hand", "[predictions]") {
  const noise_level level{0.8, 0.6, 0};
  const auto is = [](mixture m, double first, double second) {
    return std::abs(m.first - first) < 1e-15 && std::abs(m.second - second) < 1e-15;
  };
  CHECK(is(predictions::epsilon{}.target(level), 0, 1));
  CHECK(is(predictions::epsilon{}.fold(level), 1.25, -0.75));
  CHECK(is(predictions::clean{}.target(level), 1, 0));
  CHECK(is(predictions::clean{}.fold(level), 0, 1));
  CHECK(is(predictions::velocity{}.target(level), -0.6, 0.8));
  CHECK(is(predictions::velocity{}.fold(level), 0.8, -0.6));
  CHECK(is(predictions::velocity{}.fold({0, 1, 0}), 0, -1));
  CHECK(is(predictions::velocity{}.fold({1, 2, 0}), 0.2, -0.4));  // divided by 1 + 4
}

TEST_CASE("every prediction stands in the list", "[predictions][laws]") {
  laws::check_all_listed<laws::all_predictions>("predictions");
}
