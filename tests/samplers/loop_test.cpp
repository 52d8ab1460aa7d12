// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/epsilon.hpp>

#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace loop_test {

// The library's loop does what concepts/sampler.hpp says of stages.

using namespace anodiff;
using point = laws::gaussian_oracle::point;

namespace {

using engine = basic_cpu_engine<double>;
using exact = models::gaussian<engine>;
using loop = denoising_loop<exact, predictions::epsilon>;

const laws::gaussian_oracle oracle{{0.5, -1}, 0, {0.09, 2.5}};

exact assumed() {
  exact model{{.ridge = 0}, engine{1}};
  model.assume(Eigen::Vector2d{0.5, -1}, Eigen::Vector2d{0.09, 2.5}.asDiagonal().toDenseMatrix());
  return model;
}

/// Largest difference of the loop from the plain one over some rows, as share of the largest element.
double difference(const std::vector<stage>& program, const clipping& clip) {
  const auto model = assumed();
  constexpr laws::index rows = 5;
  std::array<point, rows> starts{{{1.5, 0.3}, {-0.7, 2.0}, {0.1, -1.2}, {-2, -2}, {0.4, 3}}};
  tensor<double, 2> x{{rows, 2}};
  for (laws::index i = 0; i < rows; ++i) std::ranges::copy(starts[static_cast<std::size_t>(i)], x.row(i).begin());
  loop runs{model, predictions::epsilon{}, program, rows, 2, clip};
  std::size_t stages = 0;
  runs.run(x.data(), rows, {.seed = 4, .draw = 2}, [&](std::size_t) { ++stages; });
  CHECK(stages == program.size());
  double most = 0, largest = 0;
  for (laws::index i = 0; i < rows; ++i) {
    std::uint32_t now = 0;
    const auto want = laws::run_program(
        std::span<const stage>{program}, starts[static_cast<std::size_t>(i)],
        [&](const point& at, const noise_level& level) {
          auto clean = oracle.clean(at, level);
          if (clip.dynamic())
            ops::reference::run(ops::dynamic_threshold<double>{clean.data(), 1, 2, clip.share, clip.limit, clip.most});
          else if (clip.clips())
            for (auto& v : clean) v = std::clamp(v, -clip.limit, clip.limit);
          return clean;
        },
        [&] {
          const noise_key key{.seed = 4, .draw = 2, .step = now};
          return point{random_normal(key, 0), random_normal(key, 1)};
        },
        [&](std::size_t stage, point&) { now = static_cast<std::uint32_t>(stage); });
    for (std::size_t k = 0; k < 2; ++k) {
      most = std::max(most, std::abs(x(i, static_cast<laws::index>(k)) - want[k]));
      largest = std::max(largest, std::abs(want[k]));
    }
  }
  return most / largest;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("the loop runs every sampler's program", "[samplers][loop]", laws::all_samplers) {
  const TestType sampler{};
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 20);
  if (!ends_with_noise(sampler)) levels.push_back(clean_level);
  const auto program = sampler.program(levels);
  CHECK(difference(program, {}) < 1e-5);
  CHECK(difference(program, {.limit = 0.6}) < 1e-5);  // many estimates lie beyond
  CHECK(difference(program, {.limit = 0.3, .share = 0.7, .most = 1.1}) < 1e-5);
}

TEST_CASE("a loop refuses clipping that is none", "[samplers][loop]") {
  const std::vector<noise_level> levels{schedules::linear{}.levels().back(), clean_level};
  const auto made = [&](const clipping& clip) {
    return loop{assumed(), predictions::epsilon{}, samplers::one_step{}.program(levels), 1, 2, clip};
  };
  CHECK_THROWS_WITH(made({.limit = -1}), "clipping: the limit must not be negative, got -1");
  CHECK_THROWS_WITH(made({.limit = 1, .share = 2}), "clipping: the share must lie in [0, 1], got 2");
  CHECK_THROWS_WITH(made({.limit = 2, .share = 0.5, .most = 1}),
                    "clipping: the largest threshold must be at least the limit 2, got 1");
}

TEST_CASE("the loop tells which level a stage leads to", "[samplers][loop]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 4);
  levels.push_back(clean_level);
  const loop runs{assumed(), predictions::epsilon{}, samplers::heun{}.program(levels), 1, 2, {}};
  REQUIRE(runs.program().size() == 7);  // two calls a step, one for the last
  CHECK(runs.level_after(0, levels.back()) == levels[1]);
  CHECK(runs.level_after(1, levels.back()) == levels[1]);
  CHECK(runs.level_after(2, levels.back()) == levels[2]);
  CHECK(runs.level_after(6, levels.back()) == clean_level);
}

}  // namespace loop_test
