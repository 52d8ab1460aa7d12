// SPDX-License-Identifier: Apache-2.0
#include "laws/calibrator_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("calibrators keep the laws of their concept", "[calibration][laws]", laws::all_calibrators) {
  laws::check_policy<TestType>();
  for (const double alpha : {0.01, 0.05, 0.1, 0.5, 0.9}) {
    const TestType calibrator{laws::with<TestType>("alpha", alpha)};
    laws::check_policy<TestType>(calibrator.parameters());
    for (const std::size_t n : std::initializer_list<std::size_t>{100, 101, 500}) {
      INFO("alpha " << alpha << ", n " << n);
      laws::check_calibrator(calibrator, laws::scores(n, n));
      laws::check_calibrator(calibrator, laws::scores(n, n, 6));
      laws::check_calibrator(calibrator, std::vector<double>(n, 2.0));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("rates out of range are refused", "[calibration]", laws::all_calibrators) {
  const std::string who = concat("calibration::", TestType::name);
  CHECK_THROWS_WITH((TestType{{.alpha = 0}}), who + ": alpha must lie in (0, 1), got 0");
  CHECK_THROWS_WITH((TestType{{.alpha = 1}}), who + ": alpha must lie in (0, 1), got 1");
  CHECK_THROWS_AS((TestType{{.alpha = std::nan("")}}), invalid_argument);
}

TEMPLATE_LIST_TEST_CASE("a calibration score that is not a number is refused", "[calibration]", laws::all_calibrators) {
  // it could not be sorted: every p-value after it would be wrong without a word
  auto given = laws::scores(1, 100);
  given[37] = std::nan("");
  CHECK_THROWS_WITH(TestType{}.fit(given),
                    concat("calibration::", TestType::name, ": the score of calibration row 38 is not a number"));
  CHECK_THROWS_AS(TestType{}.fit(given), numeric_error);
}

TEST_CASE("every calibrator stands in the list", "[calibration][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_calibrators{}, laws::all_place_calibrators{}))>(
      "calibration");
}
