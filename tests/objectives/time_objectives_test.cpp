// SPDX-License-Identifier: Apache-2.0
#include "laws/objective_laws.hpp"

using namespace anodiff;
using objectives::bins_loss;
using objectives::inverse_gamma;
using objectives::time_bins;
using objectives::time_regression;

namespace {

/// The loss of one row at one level.
template <class O>
double loss_of(const O& objective, std::vector<double> output, double share, double sigma, laws::index columns) {
  basic_cpu_engine<double> engine{1};
  const std::int32_t level = 0;
  double out = 0;
  objective.measure(engine, time_batch<double>{output.data(), &share, &sigma, &level, &out, nullptr, 1,
                                               static_cast<laws::index>(output.size()), columns});
  return out;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("objectives of times keep the laws of their concept", "[objectives][laws]",
                        laws::all_time_objectives) {
  laws::check_policy<TestType>();
  for (const laws::index n : {1, 7}) laws::check_time_objective(TestType{}, n);
}

TEST_CASE("time_bins: the bins of a schedule, by hand", "[objectives]") {
  const time_bins objective{{.bins = 4, .loss = bins_loss::cross_entropy}};
  // the soft-max of (0, log 2, log 3, log 4) is a tenth of 1, 2, 3, 4
  const std::vector<double> output{0, std::log(2.0), std::log(3.0), std::log(4.0)};
  for (const auto& [share, p] :
       {std::pair{0.0, 0.1}, {0.24, 0.1}, {0.25, 0.2}, {0.74, 0.3}, {0.75, 0.4}, {0.9975, 0.4}})
    CHECK(loss_of(objective, output, share, 1, 3) == Approx(-std::log(p)));
  const std::vector<float> row(output.begin(), output.end());
  std::vector<float> slope(4);
  CHECK(objective.read(row, slope) == Approx(0.2 + 0.6 + 1.2));
  CHECK(slope[3] == Approx(0.4 * (3 - 2)));
}

TEST_CASE("time_bins: the bounded loss, by hand", "[objectives]") {
  laws::check_time_objective(time_bins{{.loss = bins_loss::cross_entropy}}, 5);
  const time_bins objective{{.bins = 3}};
  // p = (0, 1, 0) in the limit: −log of a soft-max of it
  CHECK(loss_of(objective, {-1e3, 0, -1e3}, 0.5, 1, 3) == Approx(std::log(2 * std::exp(-1.0) + 1)));
  CHECK(loss_of(objective, {-1e3, 0, -1e3}, 0.1, 1, 3) == Approx(std::log(2 + std::exp(1.0))));
  CHECK(loss_of(objective, {0, 0, 0}, 0.1, 1, 3) == Approx(std::log(3.0)));
}

TEST_CASE("time_bins: outputs far apart stay finite", "[objectives]") {
  const time_bins objective{{.bins = 2, .loss = bins_loss::cross_entropy}};
  CHECK(loss_of(objective, {1e4, -1e4}, 0.9, 1, 3) == Approx(2e4));
  std::vector<float> slope(2);
  CHECK(objective.read(std::vector<float>{-1e4F, 1e4F}, slope) == 1);
}

TEST_CASE("inverse_gamma: the loss is least where the scale is that of the variance", "[objectives]") {
  for (const laws::index d : {1, 2, 6, 40}) {
    const double sigma = 0.7, shape = std::max(0.5, static_cast<double>(d) / 2 - 1), best = shape * sigma * sigma;
    const auto at = [&](double beta) { return loss_of(inverse_gamma{}, {std::sqrt(beta)}, 0, sigma, d); };
    CHECK(at(best) == Approx(-shape * std::log(best) + shape).epsilon(1e-3));
    CHECK(at(best) < at(1.1 * best));
    CHECK(at(best) < at(0.9 * best));
  }
  std::vector<float> slope(1);
  CHECK(inverse_gamma{}.read(std::vector<float>{-3.0F}, slope) == 9);  // whatever the output's sign
}

TEST_CASE("time_regression: the squared error of the place, by hand", "[objectives]") {
  CHECK(loss_of(time_regression{}, {0.75}, 0.25, 1, 3) == Approx(0.25));
}

TEST_CASE("time objectives: refuse numbers out of range", "[objectives]") {
  CHECK_THROWS_WITH(time_bins({.bins = 1}), "objectives::time_bins: bins must lie in [2, 4096], got 1");
}
