// SPDX-License-Identifier: Apache-2.0
#include "laws/schedule_laws.hpp"

TEMPLATE_LIST_TEST_CASE("schedules keep the laws of their concept", "[schedules][laws]", laws::all_schedules) {
  laws::check_policy<TestType>();
  laws::check_schedule(TestType{});
  for (const laws::index steps : {1, 2, 3, 17, 100, 1000, 4000}) {
    if (TestType::name == "quadratic" && steps > 100) continue;  // it is strong: more steps leave no signal
    const auto p = laws::with<TestType>("steps", steps);
    laws::check_policy<TestType>(p);
    const TestType schedule{p};
    CHECK(static_cast<laws::index>(schedule.levels().size()) == steps);
    laws::check_schedule(schedule);
  }
}

TEST_CASE("every schedule stands in the list", "[schedules][laws]") {
  laws::check_all_listed<laws::all_schedules>("schedules");
}
