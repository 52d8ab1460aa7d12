// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace multistep_test {

using namespace anodiff;
using samplers::node_weights;

namespace {

/// Simpson's rule for what a moment or weight integrates.
template <class F>
double integral(double from, double to, F f) {
  constexpr int n = 20000;
  const double h = (to - from) / n;
  double sum = f(from) + f(to);
  for (int i = 1; i < n; ++i) sum += (i % 2 == 1 ? 4 : 2) * f(from + i * h);
  return sum * h / 3;
}

}  // namespace

TEST_CASE("exact weights integrate Lagrange's polynomials", "[samplers]") {
  const node_weights nodes{0, -0.7, -1.1, -2};
  for (const double h : {0.01, 0.5, 1.9, 2.1, 6.0}) {
    for (std::size_t count = 1; count <= 4; ++count) {
      const auto clean = samplers::clean_form_weights(h, nodes, count);
      const auto noise = samplers::noise_form_weights(h, nodes, count);
      for (std::size_t j = 0; j < count; ++j) {
        const auto basis = [&](double t) {
          double out = 1;
          for (std::size_t i = 0; i < count; ++i)
            if (i != j) out *= (t - nodes[i]) / (nodes[j] - nodes[i]);
          return out;
        };
        INFO(h << ", " << count << " nodes, node " << j);
        CHECK(clean[j] == Approx(integral(0, h, [&](double t) { return std::exp(t - h) * basis(t); })).epsilon(1e-9));
        CHECK(noise[j] == Approx(integral(0, h, [&](double t) { return std::exp(-t) * basis(t); })).epsilon(1e-9));
      }
    }
  }
  // without end: the integrals of tau^k e^-tau are factorials
  const auto end = samplers::noise_form_weights(HUGE_VAL, {0, -1}, 2);
  CHECK(end[0] == Approx(2));
  CHECK(end[1] == Approx(-1));
}

TEST_CASE("dpm_solver_pp: a second-order step by hand", "[samplers]") {
  // lambda 0, 1, 3: h = 2, r0 = 1/2; D1 = (m0 - m1) / r0, weight (1 - e^-2) / 2, or 1 - (1 - e^-2) / 2 for heun
  std::vector<noise_level> levels;
  for (const double lambda : {0.0, 1.0, 3.0})
    levels.push_back({1 / std::sqrt(1 + std::exp(-2 * lambda)), 1 / std::sqrt(1 + std::exp(2 * lambda)), 0});
  const double flat = 1 - std::exp(-2), alpha = levels[2].alpha;
  const auto midpoint = samplers::dpm_solver_pp{{.low_order_end = false}}.program(levels);
  CHECK(midpoint[1].x_weight == Approx(levels[2].sigma / levels[1].sigma).epsilon(1e-13));
  CHECK(midpoint[1].clean_weight == Approx(alpha * 2 * flat).epsilon(1e-13));
  CHECK(midpoint[1].past_weight[0] == Approx(-alpha * flat).epsilon(1e-13));
  const auto heun =
      samplers::dpm_solver_pp{{.slope = samplers::slope_rule::heun, .low_order_end = false}}.program(levels);
  CHECK(heun[1].past_weight[0] == Approx(-alpha * (1 - flat / 2) * 2).epsilon(1e-13));
  CHECK(heun[1].clean_weight == Approx(alpha * (flat + (1 - flat / 2) * 2)).epsilon(1e-13));
  // a short run ends with low order, unless it is told not to
  const auto low = samplers::dpm_solver_pp{}.program(levels);
  CHECK(low[1].past_weight[0] == 0);
}

TEST_CASE("the order of each step of a multistep run", "[samplers]") {
  const auto orders = [](std::size_t steps, bool low, bool from_no_signal, bool to_clean) {
    std::string out;
    for (std::size_t i = 0; i < steps; ++i)
      out += std::to_string(samplers::order_of(3, {i, steps, low, from_no_signal, to_clean && i + 1 == steps}));
    return out;
  };
  CHECK(orders(6, true, false, true) == "123321");
  CHECK(orders(6, false, false, true) == "123331");
  CHECK(orders(6, false, false, false) == "123333");
  CHECK(orders(6, false, true, false) == "112333");
  CHECK(orders(15, true, false, true) == "123333333333331");
  CHECK(orders(2, true, false, true) == "11");
  CHECK(orders(1, true, true, true) == "1");
}

TEST_CASE("multistep solvers of first order are ddim", "[samplers]") {
  const auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), 20);
  const auto want = samplers::ddim{}.program(levels);
  const auto check = [&](const auto& sampler) {
    const auto got = sampler.program(levels);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].x_weight == Approx(want[i].x_weight).margin(1e-12));
      CHECK(got[i].clean_weight == Approx(want[i].clean_weight).margin(1e-12));
    }
  };
  check(samplers::dpm_solver{{.order = 1}});
  check(samplers::dpm_solver_pp{{.order = 1}});
  check(samplers::deis{{.order = 1}});
  check(samplers::unipc{{.order = 1, .correct = false}});
}

TEST_CASE("deis of second and third order is dpm_solver with exact slopes", "[samplers]") {
  const auto levels = grids::log_snr{}.pick(schedules::linear{}.levels(), 20);
  for (const int order : {2, 3}) {
    const auto a = samplers::deis{{.order = order}}.program(levels);
    const auto b = samplers::dpm_solver{{.order = order, .slope = samplers::slope_rule::heun}}.program(levels);
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].x_weight == Approx(b[i].x_weight).margin(1e-12));
      CHECK(a[i].past_weight[0] == Approx(b[i].past_weight[0]).margin(1e-12));
    }
  }
}

TEST_CASE("what noise-form solvers cannot do is refused", "[samplers]") {
  const std::vector<noise_level> to_clean{{0.6, 0.8, 0}, clean_level}, from_noise{{0, 1, 1}, {0.6, 0.8, 0}};
  CHECK_THROWS_WITH(samplers::dpm_solver{}.program(to_clean),
                    "samplers::dpm_solver: the noise form needs a run that ends with noise, got a last sigma of 0: end "
                    "at the schedule's cleanest level, or use dpm_solver_pp");
  CHECK_THROWS_WITH(samplers::dpm_solver{}.program(from_noise),
                    "samplers::dpm_solver: the noise form needs a run that starts with signal, got a first alpha of 0: "
                    "use dpm_solver_pp");
  const samplers::unipc bh1{{.kind = samplers::unipc_kind::bh1}};
  CHECK_THROWS_AS(bh1.program(to_clean), invalid_argument);
  CHECK_THROWS_AS(bh1.program(from_noise), invalid_argument);
  CHECK(ends_with_noise(bh1));
  CHECK_FALSE(ends_with_noise(samplers::unipc{}));
  CHECK(samplers::unipc{}.program(from_noise).size() == 1);
}

TEMPLATE_TEST_CASE("orders out of range are refused", "[samplers]", samplers::dpm_solver, samplers::dpm_solver_pp,
                   samplers::dpm_solver_pp_sde, samplers::unipc, samplers::deis, samplers::dpm_solver_pp_single) {
  CHECK_THROWS_AS(TestType({.order = 0}), invalid_argument);
  CHECK_THROWS_AS(TestType({.order = 5}), invalid_argument);
}

TEST_CASE("every order and kind keeps the laws", "[samplers][laws]") {
  using namespace samplers;
  for (const laws::index steps : {1, 2, 3, 4, 7, 16, 100}) {
    auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), steps);
    const auto from_noise = grids::trailing{}.pick(schedules::zero_snr<schedules::linear>{}.levels(), steps);
    const auto check = [&](const auto& sampler) {
      if (levels.size() > 1) laws::check_sampler(sampler, levels);
      if (ends_with_noise(sampler)) return;
      for (auto list : {levels, from_noise}) {
        if (list.size() > 1) laws::check_sampler(sampler, list);
        list.push_back(clean_level);
        laws::check_sampler(sampler, list);
      }
    };
    for (const bool low : {true, false}) {
      for (const int order : {1, 2, 3}) {
        for (const auto slope : {slope_rule::midpoint, slope_rule::heun}) {
          check(dpm_solver_pp{{.order = order, .slope = slope, .low_order_end = low}});
          check(dpm_solver{{.order = order, .slope = slope, .low_order_end = low}});
          check(dpm_solver_pp_sde{{.order = order, .slope = slope, .low_order_end = low}});
        }
        for (const auto kind : {unipc_kind::bh1, unipc_kind::bh2})
          for (const bool correct : {true, false})
            check(unipc{{.order = order, .kind = kind, .correct = correct, .low_order_end = low}});
      }
      for (const int order : {1, 2, 3, 4}) check(deis{{.order = order, .low_order_end = low}});
    }
    for (const int order : {2, 3}) check(dpm_solver_pp_single{{.order = order}});
    check(dpm_solver_pp{{.order = 3, .compat = true}});
    check(pndm{});
  }
}

TEST_CASE("dpm_solver_pp_sde and consistency reach the noise of each level", "[samplers]") {
  const auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), 20);
  const double sigma = levels.back().sigma;
  for (const int order : {1, 2, 3}) {
    const auto end = laws::response(samplers::dpm_solver_pp_sde{{.order = order}}.program(levels));
    CHECK(end.noise * end.noise + end.drawn == Approx(sigma * sigma).epsilon(1e-9));
  }
  const auto fresh = laws::response(samplers::consistency{}.program(levels));
  CHECK(fresh.noise == 0);
  CHECK(fresh.drawn == Approx(sigma * sigma).epsilon(1e-12));
  // multistep consistency sampling: noise sqrt(sigma^2 - eps^2)
  const auto least =
      samplers::consistency{{.least_noise = 0.3}}.program(std::vector<noise_level>{{1, 5, 0}, {1, 0.5, 0}});
  CHECK(least[0].noise_weight == Approx(0.4));
  CHECK_THROWS_AS(samplers::consistency({.least_noise = -1}), invalid_argument);
}

TEST_CASE("dpm_solver_pp_sde of first order is ddpm's law in the limit of small steps", "[samplers]") {
  // both draw the noise of the reverse SDE; DDPM's small variance is exact for a point, and so is this
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 100);
  const auto a = samplers::dpm_solver_pp_sde{{.order = 1}}.program(levels), b = samplers::ddpm{}.program(levels);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].x_weight == Approx(b[i].x_weight).margin(1e-12));
    CHECK(a[i].clean_weight == Approx(b[i].clean_weight).margin(1e-12));
    CHECK(a[i].noise_weight == Approx(b[i].noise_weight).margin(1e-12));
  }
}

TEST_CASE("one_step: the clean estimate of the noisiest level", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 20);
  levels.push_back(clean_level);
  const auto program = samplers::one_step{}.program(levels);
  REQUIRE(program.size() == 1);
  CHECK(program[0].at == levels.front());
  CHECK(program[0].clean_weight == 1);
  CHECK(program[0].x_weight == 0);
}

}  // namespace multistep_test
