// SPDX-License-Identifier: Apache-2.0
#include "laws/sampler_laws.hpp"

namespace order_test {

using namespace anodiff;
using point = laws::gaussian_oracle::point;

namespace {

const laws::gaussian_oracle oracle{{0.5, -1}, 0.6, {0.09, 2.5}};

/// Error at lambda = 1.5 of a run from lambda = −2.5 over `steps` even steps, the first `history` of which are made
/// exact: a multistep solver starts with low order, and what that costs once is not what its order says.
double error_of(const auto& sampler, std::size_t steps, std::size_t history) {
  const auto levels = laws::even_in_lambda(-2.5, 1.5, steps);
  auto program = sampler.program(levels);
  const std::span<const stage> all{program};
  double worst = 0;
  for (const point x : {point{1.5, 0.3}, {-0.7, 2.0}, {0.1, -1.2}}) {
    // with the state exact at each of the first levels, the past is exact; what enters a stage is replaced there
    const auto clean = [&](const point& at, const noise_level& level) { return oracle.clean(at, level); };
    const auto exact = [&](std::size_t stage, point& at) {
      if (stage <= history && program[stage].at == levels[stage]) at = oracle.flow(x, levels.front(), levels[stage]);
    };
    const auto got = laws::run_program(
        all, x, clean, [] { return point{}; }, exact);
    const auto want = oracle.flow(x, levels.front(), levels.back());
    worst = std::max(worst, std::hypot(got[0] - want[0], got[1] - want[1]));
  }
  return worst;
}

std::string table;

/// Slope between two numbers of steps that lie where the error has become regular and rounding has not begun.
void check_order(const std::string& name, const auto& sampler, double stated, std::size_t history, std::size_t few = 96,
                 double above = 0.35) {
  const double coarse = error_of(sampler, few, history), fine = error_of(sampler, 2 * few, history);
  const double slope = std::log2(coarse / fine);
  char line[160];
  std::snprintf(line, sizeof line, "\n%-34s %6.0f %9.2f   %9.2e at %zu steps", name.c_str(), stated, slope, fine,
                2 * few);
  table += line;
  INFO(name << ": slope " << slope);
  CHECK(slope > stated - 0.15);
  CHECK(slope < stated + above);
}

samplers::heun in_share() {
  samplers::heun_params p;
  p.variable = samplers::heun_variable::share;
  return samplers::heun{p};
}

}  // namespace

TEST_CASE("deterministic samplers converge at their order", "[samplers][order]") {
  using namespace samplers;
  table = "sampler                            stated  measured   error\n";
  check_order("ddim", ddim{}, 1, 0);
  check_order("euler", euler{}, 1, 0);
  check_order("euler_ancestral, eta 0", euler_ancestral{{.eta = 0}}, 1, 0);
  check_order("heun", heun{}, 2, 0);
  check_order("heun, share", in_share(), 2, 0);
  check_order("pndm", pndm{}, 2, 0);
  for (const int order : {1, 2, 3}) {
    const auto past = static_cast<std::size_t>(order - 1);
    const auto n = std::to_string(order);
    check_order("dpm_solver " + n, dpm_solver{{.order = order, .low_order_end = false}}, order, past);
    check_order("dpm_solver_pp " + n, dpm_solver_pp{{.order = order, .low_order_end = false}}, order, past);
  }
  check_order("dpm_solver 2, heun", dpm_solver{{.slope = slope_rule::heun, .low_order_end = false}}, 2, 1);
  check_order("dpm_solver_pp 2, heun", dpm_solver_pp{{.slope = slope_rule::heun, .low_order_end = false}}, 2, 1);
  check_order("dpm_solver 3, compat", dpm_solver{{.order = 3, .low_order_end = false, .compat = true}}, 2, 2);
  check_order("dpm_solver_pp 3, compat", dpm_solver_pp{{.order = 3, .low_order_end = false, .compat = true}}, 2, 2);
  for (const auto slope : {slope_rule::midpoint, slope_rule::heun})
    for (const int order : {2, 3})
      check_order(concat("dpm_solver_pp_single ", order, ", ", names_of(slope)[static_cast<std::size_t>(slope)]),
                  dpm_solver_pp_single{{.order = order, .slope = slope}}, order, 0);
  for (const int order : {1, 2, 3, 4})
    check_order("deis " + std::to_string(order), deis{{.order = order, .low_order_end = false}}, order,
                static_cast<std::size_t>(order - 1));
  for (const auto kind : {unipc_kind::bh1, unipc_kind::bh2})
    for (const int order : {1, 2, 3}) {
      const auto name = concat("unipc ", order, ", ", names_of(kind)[static_cast<std::size_t>(kind)]);
      const auto past = static_cast<std::size_t>(order);
      check_order(name, unipc{{.order = order, .kind = kind, .low_order_end = false}}, order + 1, past);
      check_order(name + ", predictor alone",
                  unipc{{.order = order, .kind = kind, .correct = false, .low_order_end = false}}, order, past);
    }
  WARN(table);
}

}  // namespace order_test
