// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/none.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/samplers/adaptive.hpp>
#include <anodiff/schedules/linear.hpp>
#include "laws/gaussian_oracle.hpp"
#include "laws/policy_laws.hpp"

namespace adaptive_test {

using namespace anodiff;
using anodiff::index;  // at global scope it would also be the C library's function
using point = laws::gaussian_oracle::point;

namespace {

using exact = models::gaussian<basic_cpu_engine<double>>;
using loop = adaptive_loop<exact, predictions::epsilon, samplers::adaptive>;

const laws::gaussian_oracle oracle{{0.5, -1}, 0, {0.09, 2.5}};
const std::array<point, 3> starts{{{1.5, 0.3}, {-0.7, 2.0}, {0.1, -1.2}}};

exact assumed() {
  exact model{{.ridge = 0}, basic_cpu_engine<double>{1}};
  model.assume(Eigen::Vector2d{0.5, -1}, Eigen::Vector2d{0.09, 2.5}.asDiagonal().toDenseMatrix());
  return model;
}

tensor<double, 2> all_starts() {
  tensor<double, 2> x{{3, 2}};
  for (index i = 0; i < 3; ++i) std::ranges::copy(starts[static_cast<std::size_t>(i)], x.row(i).begin());
  return x;
}

struct outcome {
  double error = 0, calls = 0;
};

/// Largest error of a run between two levels, and the mean number of calls that it took.
outcome outcome_of(double tolerance) {
  const auto levels = laws::even_in_lambda(-2.5, 1.5, 20'000);
  auto x = all_starts();
  loop run{assumed(), predictions::epsilon{}, samplers::adaptive{{.absolute = tolerance, .relative = 0}}, levels, 3, 2,
           {}};
  run.run(x.data(), 3);
  outcome out;
  for (index i = 0; i < 3; ++i) {
    const point want = oracle.flow(starts[static_cast<std::size_t>(i)], levels.front(), levels.back());
    out.error = std::max(out.error, std::hypot(x(i, 0) - want[0], x(i, 1) - want[1]));
    out.calls += static_cast<double>(run.calls(i)) / 3;
  }
  return out;
}

}  // namespace

TEST_CASE("adaptive: a policy, and what it refuses", "[samplers]") {
  laws::check_policy<samplers::adaptive>();
  laws::check_policy<samplers::adaptive>({.absolute = 0.1, .relative = 0, .first = 1, .safety = 0.5});
  CHECK_THROWS_AS((samplers::adaptive{{.absolute = 0, .relative = 0}}), invalid_argument);
  CHECK_THROWS_AS((samplers::adaptive{{.absolute = -1}}), invalid_argument);
  CHECK_THROWS_AS((samplers::adaptive{{.first = 0}}), invalid_argument);
  CHECK_THROWS_AS((samplers::adaptive{{.safety = 1}}), invalid_argument);
}

TEST_CASE("adaptive: the pair by hand", "[samplers]") {
  // alpha' = 0.8, sigma' = 0.6 from alpha = sigma = √½: h = ln(4/3)
  const double root = std::sqrt(0.5), h = std::log(4.0 / 3);
  const auto s = samplers::adaptive{}.step({root, root}, {0.8, 0.6});
  CHECK(s.of_x == Approx(0.6 / root));
  CHECK(s.of_clean == Approx(0.2));
  CHECK(s.of_change == Approx(0.8 * (1 - 0.25 / h)));
  // the mean of the estimates where the step is short, the later one from where there is no signal
  const auto shorter = samplers::adaptive{}.step({root, root}, {root * (1 + 1e-7), root});
  CHECK(shorter.of_change == Approx(root * 0.5e-7).epsilon(1e-4));
  CHECK(samplers::adaptive{}.step({0, 1}, {0.8, 0.6}).of_change == 0.8);
}

TEST_CASE("adaptive: the error follows the tolerance on the Gaussian oracle", "[samplers][laws]") {
  std::string table = "tolerance    error       calls\n";
  std::vector<outcome> found;
  for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    found.push_back(outcome_of(tolerance));
    char line[80];
    std::snprintf(line, sizeof line, "%9.0e  %9.2e  %8.1f\n", tolerance, found.back().error, found.back().calls);
    table += line;
    CHECK(found.back().error < 10 * tolerance);
  }
  for (std::size_t i = 1; i + 1 < found.size(); ++i) {
    INFO(table);
    CHECK(std::log10(found[i].error / found[i + 1].error) == Approx(1).margin(0.3));
    // of second order: ten times the accuracy for √10 times the calls
    CHECK(std::log10(found[i + 1].calls / found[i].calls) == Approx(0.5).margin(0.1));
  }
  WARN(table);
}

TEST_CASE("adaptive: a row is the same alone and among others, to the clean end", "[samplers][laws]") {
  auto levels = laws::even_in_lambda(-4, 4, 200);
  levels.push_back(clean_level);
  const auto model = assumed();
  loop run{model, predictions::epsilon{}, samplers::adaptive{}, levels, 3, 2, {}};
  auto together = all_starts();
  run.run(together.data(), 3);
  std::array<index, 3> calls{};
  for (index i = 0; i < 3; ++i) calls[static_cast<std::size_t>(i)] = run.calls(i);
  for (index i = 0; i < 3; ++i) {
    auto alone = all_starts();
    run.run(alone.row(i).data(), 1);
    CHECK(std::ranges::equal(alone.row(i), together.row(i)));
    CHECK(run.calls(0) == calls[static_cast<std::size_t>(i)]);
    const point want = oracle.flow(starts[static_cast<std::size_t>(i)], levels.front(), clean_level);
    CHECK(std::hypot(together(i, 0) - want[0], together(i, 1) - want[1]) < 0.05);
    CHECK(run.calls(0) < 80);
  }
}

TEST_CASE("adaptive: estimates are clipped, and levels that cannot be are refused", "[samplers]") {
  auto levels = laws::even_in_lambda(-4, 4, 20);
  levels.push_back(clean_level);
  const auto model = assumed();
  const auto made = [&](const std::vector<noise_level>& list, const clipping& clip) {
    return loop{model, predictions::epsilon{}, samplers::adaptive{}, list, 3, 2, clip};
  };
  auto x = all_starts();
  made(levels, {.limit = 0.25}).run(x.data(), 3);
  for (const double v : x.flat()) CHECK(std::abs(v) <= 0.25);
  CHECK_THROWS_WITH(made(levels, {.limit = 1, .share = 0.5}), Catch::StartsWith("adaptive_loop: needs a fixed limit"));
  std::ranges::reverse(levels);
  CHECK_THROWS_AS(made(levels, {}), invalid_argument);
}

TEST_CASE("adaptive: rows are rebuilt by it", "[samplers]") {
  const models::gaussian<cpu_engine> model = [] {
    models::gaussian<cpu_engine> made{{.ridge = 0}, cpu_engine{1}};
    made.assume(Eigen::Vector2d{0.5, -1}, Eigen::Vector2d{0.09, 2.5}.asDiagonal().toDenseMatrix());
    return made;
  }();
  auto levels = schedules::linear{}.levels();
  std::ranges::reverse(levels);
  levels.push_back(clean_level);
  rebuilding_run<models::gaussian<cpu_engine>, predictions::epsilon, samplers::adaptive, conditioning::none,
                 corruptions::gaussian>
      rebuilds{model,
               predictions::epsilon{},
               samplers::adaptive{{.absolute = 1e-3, .relative = 0}},
               conditioning::none{},
               corruptions::gaussian{},
               levels,
               start::clean(1),
               1,
               1,
               2,
               {}};
  tensor<float, 2> x{{1, 2}}, out{{1, 2}};
  x(0, 0) = 0.7F;
  x(0, 1) = 0.4F;
  rebuilds.rebuild(x.view(), 0, out.view());
  const point want =
      oracle.flow({static_cast<double>(x(0, 0)), static_cast<double>(x(0, 1))}, levels.front(), clean_level);
  CHECK(static_cast<double>(out(0, 0)) == Approx(want[0]).margin(0.01));
  CHECK(static_cast<double>(out(0, 1)) == Approx(want[1]).margin(0.01));
}

}  // namespace adaptive_test
