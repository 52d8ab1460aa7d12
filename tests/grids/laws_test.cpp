// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/schedule_laws.hpp"

using namespace anodiff;
using laws::index;

namespace {

std::vector<index> places(const std::vector<noise_level>& levels) {
  std::vector<index> out;
  for (const auto& l : levels) out.push_back(static_cast<index>(l.time));
  return out;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("grids keep the laws of their concept", "[grids][laws]", laws::all_grids) {
  laws::check_policy<TestType>();
  const TestType grid{};
  for (const index size : {1, 2, 3, 5, 10, 64}) {
    const auto schedule = schedules::linear{{.steps = size}}.levels();
    for (index steps = 1; steps <= size; ++steps) {
      INFO(size << " levels, " << steps << " steps");
      CHECK(laws::grid_holds(grid, schedule, steps));
    }
  }
  const auto schedule = schedules::cosine{}.levels();
  for (const index steps : {1, 7, 10, 16, 333, 499, 501, 999, 1000}) {
    INFO(steps);
    CHECK(laws::grid_holds(grid, schedule, steps));
  }
}

TEMPLATE_LIST_TEST_CASE("all steps are all levels, noisiest first", "[grids]", laws::picking_grids) {
  auto schedule = schedules::linear{{.steps = 37}}.levels();
  const auto levels = TestType{}.pick(schedule, 37);
  std::reverse(schedule.begin(), schedule.end());
  CHECK(levels == schedule);
}

TEMPLATE_LIST_TEST_CASE("steps beyond the levels are refused", "[grids]", laws::all_grids) {
  const auto schedule = schedules::linear{{.steps = 8}}.levels();
  const std::string who = concat("grids::", TestType::name);
  CHECK_THROWS_WITH(TestType{}.pick(schedule, 9),
                    who + ": steps must lie in [1, 8], the levels of the schedule in reach, got 9");
  CHECK_THROWS_WITH(TestType{}.pick(schedule, 0),
                    who + ": steps must lie in [1, 8], the levels of the schedule in reach, got 0");
  CHECK_THROWS_AS(TestType{}.pick(schedule, -1), invalid_argument);
  CHECK_THROWS_AS(TestType{}.pick({}, 1), invalid_argument);
}

TEST_CASE("every grid stands in the list", "[grids][laws]") { laws::check_all_listed<laws::all_grids>("grids"); }

TEST_CASE("ten steps through a thousand levels", "[grids]") {
  const auto schedule = schedules::linear{}.levels();
  CHECK(places(grids::leading{}.pick(schedule, 10)) ==
        std::vector<index>{900, 800, 700, 600, 500, 400, 300, 200, 100, 0});
  CHECK(places(grids::trailing{}.pick(schedule, 10)) ==
        std::vector<index>{999, 899, 799, 699, 599, 499, 399, 299, 199, 99});
  CHECK(places(grids::linspace{}.pick(schedule, 10)) ==
        std::vector<index>{999, 888, 777, 666, 555, 444, 333, 222, 111, 0});
}

TEST_CASE("strides that do not divide the schedule", "[grids]") {
  const auto schedule = schedules::linear{}.levels();
  // floor(1000 / 7) = 142; 1000 k / 7 = 142.86, 285.71 …; 999 k / 6 = 166.5, 333, 499.5, 832.5 …, halves to even
  CHECK(places(grids::leading{}.pick(schedule, 7)) == std::vector<index>{852, 710, 568, 426, 284, 142, 0});
  CHECK(places(grids::trailing{}.pick(schedule, 7)) == std::vector<index>{999, 856, 713, 570, 428, 285, 142});
  CHECK(places(grids::linspace{}.pick(schedule, 7)) == std::vector<index>{999, 832, 666, 500, 333, 166, 0});
}

TEST_CASE("a single step", "[grids]") {
  const auto schedule = schedules::linear{}.levels();
  CHECK(places(grids::leading{}.pick(schedule, 1)) == std::vector<index>{0});
  CHECK(places(grids::trailing{}.pick(schedule, 1)) == std::vector<index>{999});
  CHECK(places(grids::linspace{}.pick(schedule, 1)) == std::vector<index>{999});
}

TEST_CASE("leading and linspace as multistep solvers have them in diffusers", "[grids][golden]") {
  // DPMSolverMultistepScheduler of diffusers at revision 58eb52c0, 10 and 7 steps
  const auto schedule = schedules::linear{}.levels();
  const grids::leading leading{{.inner = true}};
  const grids::linspace linspace{{.inner = true}};
  CHECK(places(leading.pick(schedule, 10)) == std::vector<index>{900, 810, 720, 630, 540, 450, 360, 270, 180, 90});
  CHECK(places(linspace.pick(schedule, 7)) == std::vector<index>{999, 856, 714, 571, 428, 285, 143});
  CHECK(places(grids::leading{{.offset = 1}}.pick(schedule, 4)) == std::vector<index>{751, 501, 251, 1});
  const auto few = schedules::linear{{.steps = 8}}.levels();
  CHECK(laws::grid_holds(leading, few, 7));
  CHECK(laws::grid_holds(linspace, few, 7));
  CHECK_THROWS_WITH(linspace.pick(few, 8),
                    "grids::linspace: steps must lie in [1, 7], the levels of the schedule in reach, got 8");
  CHECK_THROWS_AS(leading.pick(few, 8), invalid_argument);
  CHECK_THROWS_WITH(grids::leading({.offset = -1}), "grids::leading: offset must be at least 0, got -1");
  CHECK_THROWS_WITH(grids::leading({.offset = 2}).pick(few, 4),
                    "grids::leading: offset must keep 4 steps within 8 levels, got 2");
}

TEST_CASE("placed levels as diffusers has them", "[grids][golden]") {
  // sigma and time of five Karras steps of EulerDiscreteScheduler, time alone of exponential ones, at revision
  // 58eb52c0; its least ratio is 8e-5 too large, from 1 - alphas_cumprod in float32
  const auto schedule = schedules::linear{}.levels();
  const double ratio[] = {157.407257, 36.9091835, 5.91130638, 0.491318643, 0.0100013297};
  const double karras_time[] = {999, 843.356, 592.997, 141.822, 0},
               exponential_time[] = {999, 721.566, 302.316, 30.150, 0};
  const auto karras = grids::karras{}.pick(schedule, 5), exponential = grids::exponential{}.pick(schedule, 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(karras[i].sigma / karras[i].alpha == Approx(ratio[i]).epsilon(1e-4));
    CHECK(karras[i].time == Approx(karras_time[i]).margin(1e-2));
    CHECK(exponential[i].time == Approx(exponential_time[i]).margin(1e-2));
  }
  const auto times = [&](const auto& grid) { return places(grid.pick(schedule, 5)); };
  CHECK(times(grids::karras{{.time = grids::grid_time::rounded}}) == std::vector<index>{999, 843, 593, 142, 0});
  CHECK(times(grids::log_snr{{.time = grids::grid_time::truncated}}) == std::vector<index>{999, 721, 302, 30, 0});
}

TEST_CASE("quantiles of the beta grid", "[grids]") {
  const grids::beta arcsine{{.first = 0.5, .second = 0.5}}, flat{{.first = 1, .second = 1}},
      skew{{.first = 2, .second = 1}};
  for (const double p : {1e-6, 0.01, 0.3, 0.5, 0.7, 0.99}) {
    CHECK(arcsine.quantile(p, 1 - p) == Approx(std::pow(std::sin(std::acos(-1.0) / 2 * p), 2)).epsilon(1e-9));
    CHECK(flat.quantile(p, 1 - p) == Approx(p).epsilon(1e-12));
    CHECK(skew.quantile(p, 1 - p) == Approx(std::sqrt(p)).epsilon(1e-12));
  }
  CHECK_THROWS_AS(grids::beta({.first = 0}), invalid_argument);
}

TEMPLATE_LIST_TEST_CASE("placed levels need a schedule that ends with signal", "[grids]", laws::placing_grids) {
  const auto schedule = schedules::zero_snr<schedules::linear>{}.levels();
  CHECK_THROWS_WITH(TestType{}.pick(schedule, 5),
                    concat("grids::", TestType::name,
                           ": needs a schedule that ends with signal, since it spreads sigma / alpha, got a last alpha "
                           "of 0: use grids::trailing"));
}

TEMPLATE_LIST_TEST_CASE("placed levels stay on their path", "[grids]", laws::placing_grids) {
  for (const auto& l : TestType{}.pick(schedules::exploding{}.levels(), 20)) CHECK(l.alpha == 1);
  const auto flow = schedules::flow_matching{}.levels();
  for (const auto& l : TestType{}.pick(std::span{flow}.first(999), 20))
    CHECK(l.alpha + l.sigma == Approx(1).epsilon(1e-12));
}
