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

TEMPLATE_LIST_TEST_CASE("all steps are all levels, noisiest first", "[grids]", laws::all_grids) {
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
  // floor(1000 / 7) = 142; 1000 k / 7 = 142.86, 285.71 …; 999 k / 6 = 166.5, 333, 499.5 …, halves away from zero
  CHECK(places(grids::leading{}.pick(schedule, 7)) == std::vector<index>{852, 710, 568, 426, 284, 142, 0});
  CHECK(places(grids::trailing{}.pick(schedule, 7)) == std::vector<index>{999, 856, 713, 570, 428, 285, 142});
  CHECK(places(grids::linspace{}.pick(schedule, 7)) == std::vector<index>{999, 833, 666, 500, 333, 167, 0});
}

TEST_CASE("a single step", "[grids]") {
  const auto schedule = schedules::linear{}.levels();
  CHECK(places(grids::leading{}.pick(schedule, 1)) == std::vector<index>{0});
  CHECK(places(grids::trailing{}.pick(schedule, 1)) == std::vector<index>{999});
  CHECK(places(grids::linspace{}.pick(schedule, 1)) == std::vector<index>{999});
}
