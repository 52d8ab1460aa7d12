// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/diffusers_scheduler.hpp>
#include <anodiff/ops/dynamic_threshold.hpp>
#include <anodiff/ops/learned_noise.hpp>
#include "laws/policy_laws.hpp"
#include "laws/sampler_laws.hpp"

namespace diffusers_scheduler_test {

// Runs of data/diffusers_schedulers.json, of a closed-form network in place of a trained one; data/README.md says how
// they were made.

using namespace anodiff;

namespace {

constexpr const char* golden = ANODIFF_TESTS_DIR "/io/data/diffusers_schedulers.json";
constexpr double bound = 1e-4;  // of the largest element: diffusers rounds its tables to float32

using point = std::array<double, 8>;

io::diffusers_scheduler scheduler_of(const std::string& text) {
  return io::diffusers_scheduler{io::diffusers_config::parse(text, "s.json")};
}

/// The run of the closed-form network; the j-th noise drawn is sin(1 + k + 3 j) at element k.
point run(const io::diffusers_scheduler& scheduler, laws::index steps) {
  point x{};
  for (std::size_t k = 0; k < x.size(); ++k)
    x[k] = scheduler.start_scale(steps) * (-1 + 2 * static_cast<double>(k) / 7);
  const auto clean = [&](const point& at, const noise_level& level) {
    const mixture f = scheduler.prediction().fold(level);
    point out{};
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = f.first * at[k] + f.second * (at[k] / 2 + std::sin(3 * at[k]) / 10 + level.time / 10000);
    const clipping& clip = scheduler.clip();
    if (clip.dynamic())
      ops::reference::run(ops::dynamic_threshold<double>{out.data(), 1, 8, clip.share, clip.limit, clip.most});
    else if (clip.clips())
      for (double& v : out) v = std::clamp(v, -clip.limit, clip.limit);
    return out;
  };
  const auto program = scheduler.program(steps);
  auto noise = [drawn = 0]() mutable {
    point z{};
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = std::sin(1 + static_cast<double>(k) + 3 * drawn);
    ++drawn;
    return z;
  };
  const auto deviation = [&](const point& at, const noise_level&, double least, double most) {
    const bool between = scheduler.learned_variance() == variance_form::between;
    point out{};
    for (std::size_t k = 0; k < out.size(); ++k) {
      const double v = between ? std::sin(2 * at[k]) : 0.01 + 0.005 * std::sin(2 * at[k]);
      out[k] = ops::learned_deviation(v, between, std::log(least), (std::log(most) - std::log(least)) / 2);
    }
    return out;
  };
  return laws::run_program(
      std::span<const stage>{program}, x, clean, noise, [](std::size_t, point&) {}, deviation);
}

}  // namespace

TEST_CASE("diffusers: schedulers give what diffusers gives", "[io][golden]") {
  const auto content = formats::read_file(golden);
  const auto runs = formats::parse_json(formats::text_of(content.span()), golden);
  double worst = 0;
  for (const auto& entry : runs.elements()) {
    const auto& config = entry.at("config");
    const laws::index steps = entry.at("steps").integer();
    INFO(config.dump() << ", " << steps << " steps");
    const io::diffusers_scheduler scheduler{{config, "golden"}};
    const auto levels = scheduler.levels(steps);
    const auto& times = entry.at("times").elements();
    REQUIRE(levels.size() == times.size());
    for (std::size_t i = 0; i < times.size(); ++i)
      CHECK(levels[i].time == Approx(times[i].number()).epsilon(5e-5).margin(2e-3));
    const point got = run(scheduler, steps);
    double most = 0, largest = 0;
    for (std::size_t k = 0; k < got.size(); ++k) {
      const double want = entry.at("last").elements()[k].number();
      most = std::max(most, std::abs(got[k] - want));
      largest = std::max(largest, std::abs(want));
    }
    CHECK(most < bound * largest);
    worst = std::max(worst, most / largest);
  }
  WARN(runs.elements().size() << " runs, the worst by " << worst << " of its largest element");
}

TEST_CASE("diffusers: what a network of diffusers emits is a policy", "[io]") {
  for (const auto output :
       {io::diffusers_output::epsilon, io::diffusers_output::sample, io::diffusers_output::v_prediction})
    laws::check_policy<io::diffusers_prediction>({output});
}

TEST_CASE("diffusers: a scheduler of the default kind", "[io]") {
  const auto s = scheduler_of(R"({"_class_name": "DDIMScheduler", "clip_sample": false, "more": 1,
                                  "lambda_min_clipped": -Infinity, "_diffusers_version": "0.2"})");
  CHECK(s.class_name() == "DDIMScheduler");
  CHECK(s.schedule().size() == 1000);
  CHECK(!s.clip().clips());
  CHECK(s.program(50).size() == 50);
  CHECK(s.levels(50).front().time == 980);
  const auto noted = [&](std::string_view text) {
    return std::ranges::count_if(s.notes(), [&](const std::string& n) { return n.find(text) != n.npos; });
  };
  CHECK(noted("\"beta_start\" is absent: taken as 1e-04") == 1);
  CHECK(noted("\"more\" is not known: ignored") == 1);
  CHECK(noted("_diffusers_version") == 0);
  CHECK(noted("clip_sample\"") == 0);
  CHECK(noted("use_clipped_model_output") == 0);
  CHECK(scheduler_of(R"({"_class_name": "DDIMScheduler"})").notes().back() ==
        "s.json: clean estimates are clipped to ± 1, and the noise is the one that belongs to them "
        "(use_clipped_model_output)");
}

TEST_CASE("diffusers: a Euler run of DDIM's levels is DDIM's", "[io][laws]") {
  const auto euler = scheduler_of(R"({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"})");
  const auto ddim = scheduler_of(R"({"_class_name": "DDIMScheduler", "clip_sample": false})");
  const point a = run(euler, 20), b = run(ddim, 20);
  for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k] == Approx(b[k]).epsilon(1e-12));
}

TEST_CASE("diffusers: schedulers that are refused, and why", "[io]") {
  const auto refused = [](const std::string& members, const std::string& words) {
    INFO(members);
    CHECK_THROWS_MATCHES(scheduler_of("{" + members + "}"), data_error, Catch::Message("s.json: " + words));
  };
  refused("",
          "\"_class_name\" must be one of DDPMScheduler, DDIMScheduler, EulerDiscreteScheduler, "
          "DPMSolverMultistepScheduler, UniPCMultistepScheduler, got \"\"");
  const std::string ddpm = R"("_class_name": "DDPMScheduler", )";
  refused(ddpm + R"("prediction_type": "noise")",
          "\"prediction_type\" must be one of epsilon, sample, v_prediction, got \"noise\"");
  refused(ddpm + R"("num_train_timesteps": 0)", "\"num_train_timesteps\" must lie in [1, 1000000], got 0");
  refused(ddpm + R"("num_train_timesteps": "many")", "\"num_train_timesteps\": need an integer, got a string");
  refused(ddpm + R"("beta_start": 0.5)", "schedules::linear: need 0 < beta_first <= beta_last < 1, got 0.5 and 0.02");
  refused(ddpm + R"("beta_schedule": "wave")",
          "\"beta_schedule\" must be one of linear, scaled_linear, squaredcos_cap_v2, sigmoid, laplace, got \"wave\"");
  refused(ddpm + R"("trained_betas": [0.1, 0.2])",
          "\"trained_betas\" needs num_train_timesteps = 1000 elements, got 2");
  refused(
      ddpm + R"("rescale_betas_zero_snr": true)",
      "\"rescale_betas_zero_snr\" needs a prediction_type other than epsilon, from which the clean sample cannot be "
      "told where no signal is left");
  refused(ddpm + R"("dynamic_thresholding_ratio": 2)", "\"dynamic_thresholding_ratio\" must lie in [0, 1], got 2");
  refused(ddpm + R"("variance_type": "learnt")",
          "\"variance_type\" must be one of fixed_small, fixed_large, fixed_small_log, fixed_large_log, learned, "
          "learned_range, got \"learnt\"");
  refused(ddpm + R"("variance_type": "fixed_large_log")",
          "\"variance_type\" is fixed_large_log, which is NaN in diffusers: use fixed_large");
  refused(R"("_class_name": "EulerDiscreteScheduler", "sigma_max": 80)",
          "\"sigma_max\" is not supported: it must be null");
  refused(R"("_class_name": "UniPCMultistepScheduler", "solver_type": "bh1")",
          "\"solver_type\" is bh1, which is NaN in diffusers unless final_sigmas_type is sigma_min");
  const std::string solver = R"("_class_name": "DPMSolverMultistepScheduler", )";
  refused(solver + R"("algorithm_type": "dpmsolver")",
          "\"algorithm_type\" is dpmsolver, which needs final_sigmas_type = sigma_min");
  refused(solver + R"("use_karras_sigmas": true, "use_lu_lambdas": true)",
          "\"use_lu_lambdas\" must be false where the sigmas are spread in another way");
  CHECK_THROWS_WITH(scheduler_of(R"({"_class_name": "DDIMScheduler", "set_alpha_to_one": false,
                                     "timestep_spacing": "linspace"})")
                        .program(10),
                    Catch::StartsWith("io::diffusers_scheduler: set_alpha_to_one = false needs leading spacing"));
  CHECK_THROWS_WITH(io::diffusers_config::parse("[1]", "s.json"), "s.json: need an object, got an array");
}

}  // namespace diffusers_scheduler_test
