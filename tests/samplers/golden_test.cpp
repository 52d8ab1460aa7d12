// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <map>
#include "laws/grid_laws.hpp"
#include "laws/prediction_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

// Every run of data/golden_schedulers.json; data/README.md says how they were made.

using namespace anodiff;

namespace {

using point = std::array<double, 8>;

/// diffusers rounds its tables to float32; doubles differ from its runs by this much of the largest element.
constexpr double bound = 5e-5;

using runs = std::map<std::string, std::vector<double>>;  // empty: NaN in diffusers

runs golden_runs() {
  const auto bytes = formats::read_file(ANODIFF_TESTS_DIR "/samplers/data/golden_schedulers.json");
  const auto all = formats::parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "golden runs");
  runs out;
  for (const auto& [key, values] : all.members()) {
    auto& run = out[key];
    for (const auto& v : values.elements())
      if (!v.is_null()) run.push_back(v.number());
  }
  return out;
}

std::vector<std::string> split(const std::string& key) {
  std::vector<std::string> parts{""};
  for (const char c : key)
    if (c == '/')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

mixture fold(const std::string& prediction, const noise_level& level) {
  if (prediction == "epsilon") return predictions::epsilon{}.fold(level);
  if (prediction == "sample") return predictions::clean{}.fold(level);
  REQUIRE(prediction == "v_prediction");
  return predictions::velocity{}.fold(level);
}

/// The run of the closed-form network from linspace(−1, 1, 8) times `start`.
point run(const std::vector<stage>& program, const std::string& prediction, double start = 1) {
  point x{};
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = start * (-1 + 2 * static_cast<double>(k) / 7);
  const auto clean = [&](const point& at, const noise_level& level) {
    const mixture f = fold(prediction, level);
    point out{};
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = f.first * at[k] + f.second * (at[k] / 2 + std::sin(3 * at[k]) / 10 + level.time / 10000);
    return out;
  };
  return laws::run_program(std::span<const stage>{program}, x, clean, [] { return point{}; });
}

double difference(const point& got, const std::vector<double>& want) {
  REQUIRE(want.size() == got.size());
  double most = 0, largest = 0;
  for (std::size_t k = 0; k < got.size(); ++k) {
    most = std::max(most, std::abs(got[k] - want[k]));
    largest = std::max(largest, std::abs(want[k]));
  }
  return most / largest;
}

std::vector<noise_level> clean_end(std::vector<noise_level> levels) {
  levels.push_back(clean_level);
  return levels;
}

/// Levels of a grid by its name in diffusers. Multistep solvers have the inner levels, and times that are whole
/// numbers.
std::vector<noise_level> levels_of(const std::string& grid, laws::index steps, bool multistep,
                                   grids::grid_time karras_time) {
  const auto schedule = schedules::linear{}.levels();
  const auto cut = multistep ? grids::grid_time::truncated : grids::grid_time::exact;
  if (grid == "leading") return grids::leading{{.inner = multistep}}.pick(schedule, steps);
  if (grid == "linspace") return grids::linspace{{.inner = multistep}}.pick(schedule, steps);
  if (grid == "trailing") return grids::trailing{}.pick(schedule, steps);
  if (grid == "karras") return grids::karras{{.time = karras_time}}.pick(schedule, steps);
  if (grid == "lu") return grids::log_snr{{.time = karras_time}}.pick(schedule, steps);
  if (grid == "exponential") return grids::exponential{{.time = cut}}.pick(schedule, steps);
  REQUIRE(grid == "beta");
  return grids::beta{{.time = cut}}.pick(schedule, steps);
}

constexpr auto rounded = grids::grid_time::rounded, exact = grids::grid_time::exact;

/// What a key means here; throws where the run is refused.
point run_of(const std::string& key) {
  const auto part = split(key);
  const auto schedule = schedules::linear{}.levels();
  if (key == "dpm++/cosine/karras/20") {
    const grids::karras grid{{.time = grids::grid_time::truncated}};
    return run(samplers::dpm_solver_pp{}.program(clean_end(grid.pick(schedules::cosine{}.levels(), 20))), "epsilon");
  }
  if (key == "dpm++/zsnr/trailing/10/v") {
    // diffusers sets the last squared alpha to 2^-24, which is more than the level before it has
    auto rescaled = schedules::rescaled_to_zero_snr(schedule);
    rescaled.back() = {0x1p-12, std::sqrt(1 - 0x1p-24), rescaled.back().time};
    return run(samplers::dpm_solver_pp{}.program(clean_end(grids::trailing{}.pick(rescaled, 10))), "v_prediction");
  }
  if (key == "ddim/zsnr/trailing/10/v") {
    const auto rescaled = schedules::zero_snr<schedules::linear>{}.levels();
    return run(samplers::ddim{}.program(clean_end(grids::trailing{}.pick(rescaled, 10))), "v_prediction");
  }
  REQUIRE(part.size() >= 4);
  const laws::index steps = std::stol(part.back());
  if (part[0] == "ddim") {
    const auto levels = levels_of(part[2], steps, false, exact);
    if (part[2] == "linspace") return run(samplers::ddim{}.fixed_stride_program(schedule, levels), part[1]);
    return run(samplers::ddim{}.program(clean_end(levels)), part[1]);
  }
  if (part[0] == "euler") {
    // the start is not divided by sqrt(sigma^2 + 1), but scaled by sigma alone, except under leading spacing
    const auto levels = levels_of(part[2], steps, false, exact);
    return run(samplers::euler{}.program(clean_end(levels)), part[1], part[2] == "leading" ? 1 : levels.front().sigma);
  }
  if (part[0] == "dpm") {
    const int order = part[3][1] - '0';
    auto levels = levels_of("linspace", steps, true, exact);
    if (part[1] == "dpmsolver++")
      return run(samplers::dpm_solver_pp{{.order = order, .compat = true}}.program(clean_end(levels)), part[2]);
    levels.push_back(schedule.front());
    return run(samplers::dpm_solver{{.order = order, .compat = true}}.program(levels), part[2]);
  }
  if (part[0] == "dpm++") {
    const bool heun = part[3] == "heun";
    const auto levels = levels_of(heun ? "linspace" : part[3], steps, true, rounded);
    const auto slope = heun ? samplers::slope_rule::heun : samplers::slope_rule::midpoint;
    return run(samplers::dpm_solver_pp{{.order = 2, .slope = slope}}.program(clean_end(levels)), part[1]);
  }
  REQUIRE(part[0] == "unipc");
  const bool grid = part.size() == 4;
  const auto levels = clean_end(levels_of(grid ? part[2] : "linspace", steps, true, rounded));
  const auto kind = !grid && part[2] == "bh1" ? samplers::unipc_kind::bh1 : samplers::unipc_kind::bh2;
  return run(samplers::unipc{{.order = grid ? 2 : part[3][1] - '0', .kind = kind}}.program(levels), part[1]);
}

}  // namespace

TEST_CASE("every golden run of diffusers", "[samplers][golden]") {
  std::size_t passed = 0, refused = 0;
  double worst = 0;
  for (const auto& [key, want] : golden_runs()) {
    INFO(key);
    if (key == "ddim/zsnr/trailing/10/eps") {
      // refused by types: compile_fail/epsilon_from_zero_snr.cpp
      CHECK(want.empty());
      CHECK(schedules::zero_snr<schedules::linear>::ends_in_pure_noise);
      CHECK(predictions::epsilon::needs_signal);
      ++refused;
    } else if (want.empty()) {
      CHECK_THROWS_WITH(run_of(key), Catch::Contains("samplers::unipc: bh1 needs a run that ends with noise"));
      ++refused;
    } else {
      const double error = difference(run_of(key), want);
      CHECK(error < bound);
      worst = std::max(worst, error);
      ++passed;
    }
  }
  CHECK(passed == 81);
  CHECK(refused == 10);
  WARN(passed << " golden runs, the worst by " << worst << " of its largest element; " << refused << " refusals");
}

TEST_CASE("what differs from diffusers by default", "[samplers][golden]") {
  const auto golden = golden_runs();
  const auto schedule = schedules::linear{}.levels();
  // the step under linspace goes to the next level, so that the run is that of Euler's method from the same start
  const auto levels = clean_end(grids::linspace{}.pick(schedule, 10));
  const point right = run(samplers::ddim{}.program(levels), "v_prediction", levels.front().sigma);
  CHECK(difference(right, golden.at("euler/v_prediction/linspace/10")) < bound);
  CHECK(difference(run(samplers::ddim{}.program(levels), "v_prediction"), golden.at("ddim/v_prediction/linspace/10")) >
        1e-2);
  // third order with the whole second difference
  const auto inner = clean_end(grids::linspace{{.inner = true}}.pick(schedule, 10));
  CHECK(difference(run(samplers::dpm_solver_pp{{.order = 3}}.program(inner), "v_prediction"),
                   golden.at("dpm/dpmsolver++/v_prediction/o3/10")) > 1e-3);
}
