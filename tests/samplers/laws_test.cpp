// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace laws_test {

using namespace anodiff;
using laws::index;

TEMPLATE_LIST_TEST_CASE("samplers keep the laws of their concept", "[samplers][laws]", laws::all_samplers) {
  laws::check_policy<TestType>();
  const TestType sampler{};
  const auto over_grids = [&](const auto& schedule) {
    for (const index steps : {1, 2, 10, 50}) {
      for (auto levels : {grids::leading{}.pick(schedule, steps), grids::trailing{}.pick(schedule, steps),
                          grids::linspace{}.pick(schedule, steps)}) {
        if (levels.size() > 1) laws::check_sampler(sampler, levels);
        if (ends_with_noise(sampler)) continue;
        levels.push_back(clean_level);
        laws::check_sampler(sampler, levels);
      }
    }
  };
  over_grids(schedules::linear{}.levels());
  over_grids(schedules::cosine{}.levels());
}

TEMPLATE_LIST_TEST_CASE("samplers serve levels that preserve no variance", "[samplers][laws]", laws::all_samplers) {
  const TestType sampler{};
  laws::check_sampler(sampler, {{1, 80, 0}, {1, 5, 0}, {1, 1, 0}, {1, 0.1, 0}, {1, 0.01, 0}});  // exploding
  if (!ends_with_noise(sampler)) laws::check_sampler(sampler, {{1, 80, 0}, {1, 5, 0}, {1, 0.1, 0}, clean_level});
  if (!needs_signal_at_start<TestType>)  // from pure noise, on a line
    laws::check_sampler(sampler, {{0, 1, 0}, {0.2, 0.8, 0}, {0.5, 0.5, 0}, {0.9, 0.1, 0}, {1, 1e-3, 0}});
  for (std::size_t i = 0; i < 500; ++i) {
    const auto random = [&](std::size_t k, double low, double high) {
      return std::pow(10, laws::uniform(3, 8 * i + k, low, high));
    };
    // alpha down to 1e-12: x_to hardly depends on x_from
    const noise_level from{random(0, -12, 0), random(1, -1, 2), 0};
    const noise_level to{from.alpha + random(2, -6, 0), from.sigma * random(3, -6, -0.001), 0};
    laws::check_sampler(sampler, {from, to});
  }
}

TEMPLATE_LIST_TEST_CASE("samplers refuse what is no run", "[samplers]", laws::all_samplers) {
  const TestType sampler{};
  const std::string who = concat("samplers::", TestType::name);
  const std::vector<noise_level> none, one{{0.5, 0.5, 0}};
  CHECK_THROWS_WITH(sampler.program(none), who + ": a run needs at least two levels, got 0");
  CHECK_THROWS_WITH(sampler.program(one), who + ": a run needs at least two levels, got 1");
  const std::vector<noise_level> rising{{0.8, 0.6, 0}, {0.6, 0.8, 0}}, twice{clean_level, clean_level},
      lost{{0.6, 0.8, 0}, {0, 1, 0}}, unknown{{0.6, 0.8, 0}, {std::nan(""), 0, 0}};
  CHECK_THROWS_WITH(sampler.program(rising),
                    who +
                        ": levels must get strictly cleaner, but level 1 (alpha 0.6, sigma 0.8) does not follow "
                        "(alpha 0.8, sigma 0.6)");
  for (const auto& levels : {twice, lost, unknown}) CHECK_THROWS_AS(sampler.program(levels), invalid_argument);
}

TEST_CASE("every sampler stands in the list", "[samplers][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_samplers{}, laws::samplers_that_adapt{}))>("samplers");
}

}  // namespace laws_test
