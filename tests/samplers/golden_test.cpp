// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <map>
#include "laws/grid_laws.hpp"
#include "laws/prediction_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace golden_test {

// Every run of data/golden_schedulers.json and golden_runs_0_42_1.json; data/README.md says how they were made.

using namespace anodiff;

namespace {

using point = std::array<double, 8>;

/// diffusers rounds its tables to float32; doubles differ from its runs by this much of the largest element.
constexpr double bound = 5e-5;

using runs = std::map<std::string, std::vector<double>>;  // empty: NaN in diffusers

runs golden_runs(const std::string& path) {
  const auto bytes = formats::read_file(path);
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

/// The j-th noise drawn is sin(1 + k + 3 j) at element k.
auto fixed_noise() {
  return [drawn = 0]() mutable {
    point z{};
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = std::sin(1 + static_cast<double>(k) + 3 * drawn);
    ++drawn;
    return z;
  };
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
  return laws::run_program(std::span<const stage>{program}, x, clean, fixed_noise());
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
  for (const auto& [key, want] : golden_runs(ANODIFF_TESTS_DIR "/samplers/data/golden_schedulers.json")) {
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
  const auto golden = golden_runs(ANODIFF_TESTS_DIR "/samplers/data/golden_schedulers.json");
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

namespace {

constexpr const char* later = ANODIFF_TESTS_DIR "/samplers/data/golden_runs_0_42_1.json";

/// Levels of flow matching as diffusers has them, even in sigma, with time 1000 sigma.
std::vector<noise_level> flow_levels() {
  auto levels = grids::linspace{}.pick(schedules::flow_matching{}.levels(), 10);
  for (auto& l : levels) l.time = 1000 * l.sigma;
  return clean_end(levels);
}

/// The linear schedule with the tables of diffusers: betas, products and ratios rounded to float32.
std::vector<noise_level> rounded_schedule() {
  std::vector<noise_level> levels;
  double product = 1;
  for (int i = 0; i < 1000; ++i) {
    const auto beta = static_cast<float>(std::lerp(1e-4, 0.02, i / 999.0));
    product *= static_cast<double>(1.0F - beta);
    const auto signal = static_cast<float>(product);
    const double ratio = std::sqrt((1.0F - signal) / signal);
    levels.push_back({1 / std::hypot(1, ratio), ratio / std::hypot(1, ratio), static_cast<double>(i)});
  }
  return levels;
}

point run_of_later(const std::string& key) {
  using namespace samplers;
  const auto part = split(key);
  const auto schedule = schedules::linear{}.levels();
  const auto flow = [](const std::vector<stage>& program) {
    point x{};
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = -1 + 2 * static_cast<double>(k) / 7;
    return laws::run_program(
        std::span<const stage>{program}, x,
        [](const point& at, const noise_level& level) {
          const mixture f = predictions::flow{}.fold(level);
          point out{};
          for (std::size_t k = 0; k < out.size(); ++k)
            out[k] = f.first * at[k] + f.second * (at[k] / 2 + std::sin(3 * at[k]) / 10 + level.time / 10000);
          return out;
        },
        fixed_noise());
  };
  if (part[0] == "flow_euler") return flow(euler{}.program(flow_levels()));
  if (part[0] == "flow_heun") {
    heun_params p;
    p.variable = heun_variable::share;
    return flow(heun{p}.program(flow_levels()));
  }
  if (part[0] == "edm_euler") {
    // preconditioned input x / sqrt(sigma^2 + 0.25), time log(sigma) / 4
    const auto levels = grids::karras{}.pick(schedules::exploding{{.sigma_min = 0.002, .sigma_max = 80}}.levels(), 10);
    point x{};
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = std::hypot(80, 1) * (-1 + 2 * static_cast<double>(k) / 7);
    const auto program = euler{}.program(clean_end(levels));
    return laws::run_program(
        std::span<const stage>{program}, x,
        [](const point& at, const noise_level& level) {
          const mixture f = predictions::edm{}.fold(level);
          point out{};
          for (std::size_t k = 0; k < out.size(); ++k) {
            const double in = at[k] / std::hypot(level.sigma, 0.5);
            out[k] = f.first * at[k] + f.second * (in / 2 + std::sin(3 * in) / 10 + std::log(level.sigma) / 40000);
          }
          return out;
        },
        fixed_noise());
  }
  const laws::index count = std::stol(part.back());
  const auto& prediction = part[part.size() - 2];
  const auto leading = grids::leading{}.pick(schedule, count);
  const auto inner = grids::linspace{{.inner = true}}.pick(schedule, count);
  auto to_cleanest = inner;
  to_cleanest.push_back(schedule.front());
  if (part[0] == "ddpm") {
    ddpm_params p;
    detail::field_from_text("variance", part[1], p.variance);
    return run(ddpm{p}.program(clean_end(leading)), prediction);
  }
  if (part[0] == "ddim") return run(ddim{{.eta = std::stod(part[1])}}.program(clean_end(leading)), prediction);
  if (part[0] == "heun") {
    // its corrections over long steps magnify what the tables differ by: 2e-4 in double, 5e-7 with the same tables
    const auto table = rounded_schedule();
    const auto levels = part[1] == "karras" ? grids::karras{}.pick(table, count) : grids::linspace{}.pick(table, count);
    return run(heun{}.program(clean_end(levels)), prediction, levels.front().sigma);
  }
  if (part[0] == "euler_ancestral") {
    const auto levels = levels_of("linspace", count, false, exact);
    return run(euler_ancestral{}.program(clean_end(levels)), prediction, levels.front().sigma);
  }
  if (part[0] == "pndm") return run(pndm{}.program(leading), prediction);
  if (part[0] == "deis") return run(deis{{.order = std::stoi(part[1])}}.program(to_cleanest), prediction);
  if (part[0] == "unipc") {
    const auto kind = part[1] == "bh1" ? unipc_kind::bh1 : unipc_kind::bh2;
    return run(unipc{{.order = std::stoi(part[2]), .kind = kind}}.program(to_cleanest), prediction);
  }
  const auto slope = part[2] == "heun" ? slope_rule::heun : slope_rule::midpoint;
  if (part[0] == "single")
    return run(dpm_solver_pp_single{{.order = std::stoi(part[1]), .slope = slope}}.program(clean_end(inner)),
               prediction);
  REQUIRE(part[0] == "sde-dpmsolver++");
  return run(dpm_solver_pp_sde{{.order = std::stoi(part[1]), .slope = slope}}.program(clean_end(inner)), prediction);
}

}  // namespace

TEST_CASE("golden runs of diffusers 0.42.1 for the other samplers", "[samplers][golden]") {
  std::size_t passed = 0;
  double worst = 0;
  for (const auto& [key, want] : golden_runs(later)) {
    INFO(key);
    const double error = difference(run_of_later(key), want);
    CHECK(error < bound);
    worst = std::max(worst, error);
    ++passed;
  }
  CHECK(passed == 81);
  WARN(passed << " golden runs, the worst by " << worst << " of its largest element");
}

}  // namespace golden_test
