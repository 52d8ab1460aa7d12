// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/beta.hpp>
#include <anodiff/grids/karras.hpp>
#include <anodiff/grids/leading.hpp>
#include <anodiff/grids/linspace.hpp>
#include <anodiff/grids/log_snr.hpp>
#include <anodiff/grids/trailing.hpp>
#include <anodiff/io/diffusers_config.hpp>
#include <anodiff/pipeline/clipping.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/samplers/dpm_solver.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/samplers/dpm_solver_pp_sde.hpp>
#include <anodiff/samplers/euler.hpp>
#include <anodiff/samplers/unipc.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/schedules/laplace.hpp>
#include <anodiff/schedules/linear.hpp>
#include <anodiff/schedules/scaled_linear.hpp>
#include <anodiff/schedules/sigmoid.hpp>
#include <anodiff/schedules/zero_snr.hpp>
#include <optional>
#include <variant>

namespace anodiff::io {

/// What a network of diffusers emits; the names are those of `prediction_type`.
enum class diffusers_output { epsilon, sample, v_prediction };
[[nodiscard]] constexpr std::array<std::string_view, 3> names_of(diffusers_output) {
  return {"epsilon", "sample", "v_prediction"};
}
struct diffusers_prediction_params {
  diffusers_output output = diffusers_output::epsilon;

  static constexpr void fields(auto& self, auto&& field) { field("output", self.output); }
};

/// predictions::epsilon, clean or velocity, as a file names it.
class diffusers_prediction {
 public:
  using params = diffusers_prediction_params;
  static constexpr std::string_view name = "diffusers";
  static constexpr bool needs_signal = true;

  explicit diffusers_prediction(params p = {}) : params_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] mixture target(noise_level l) const noexcept {
    return visit([&](const auto& p) { return p.target(l); });
  }
  [[nodiscard]] mixture fold(noise_level l) const noexcept {
    return visit([&](const auto& p) { return p.fold(l); });
  }

 private:
  template <class F>
  [[nodiscard]] mixture visit(F&& f) const noexcept {
    switch (params_.output) {
      case diffusers_output::sample:
        return f(predictions::clean{});
      case diffusers_output::v_prediction:
        return f(predictions::velocity{});
      default:
        return f(predictions::epsilon{});
    }
  }
  params params_;
};
static_assert(prediction<diffusers_prediction>);

/// A scheduler_config.json in this library's terms: levels, grid, prediction and sampler. DDPM, DDIM, Euler,
/// DPM-Solver++ and UniPC; their steps are those of diffusers 0.42, known defects included. Two things are other here.
/// Where DDIM clips the clean estimate, the noise is the one that belongs to the clipped estimate, which diffusers does
/// under use_clipped_model_output. A state of Euler's is alpha times that of diffusers, and starts from
/// start_scale(steps) times a normal draw.
class diffusers_scheduler {
 public:
  /// Throws data_error, naming file and key, for what is unknown, out of range, or has no counterpart here.
  explicit diffusers_scheduler(diffusers_config config) {
    kind_ = static_cast<kind>(config.choice("_class_name", "", class_names));
    prediction_ = diffusers_prediction{
        {static_cast<diffusers_output>(config.choice("prediction_type", "epsilon", names_of(diffusers_output{})))}};
    read_schedule(config);
    read_clipping(config);
    spacing_ = static_cast<spacing>(config.choice("timestep_spacing",
                                                  kind_ == kind::ddpm || kind_ == kind::ddim ? "leading" : "linspace",
                                                  std::array<std::string_view, 3>{"leading", "linspace", "trailing"}));
    offset_ = config.whole("steps_offset", 0, 0, static_cast<index>(schedule_.size()) - 1);
    if (kind_ == kind::ddpm)
      read_ddpm(config);
    else if (kind_ == kind::ddim)
      read_ddim(config);
    else
      read_sigma_solver(config);
    notes_ = config.notes();
    if (kind_ == kind::ddim && clip_.clips())
      notes_.push_back(concat(config.name(), ": clean estimates are clipped to ± ", clip_.limit,
                              ", and the noise is the one that belongs to them (use_clipped_model_output)"));
  }

  [[nodiscard]] std::string_view class_name() const noexcept { return class_names[static_cast<std::size_t>(kind_)]; }
  /// The levels of training, least noisy first.
  [[nodiscard]] std::span<const noise_level> schedule() const noexcept { return schedule_; }
  [[nodiscard]] const diffusers_prediction& prediction() const noexcept { return prediction_; }
  /// How clean estimates are clipped.
  [[nodiscard]] const clipping& clip() const noexcept { return clip_; }
  /// In what form the network says the variance of a reverse step, in a second half of its channels; nothing where the
  /// scheduler draws with a fixed one, or with none.
  [[nodiscard]] std::optional<variance_form> learned_variance() const noexcept { return learned_variance_; }
  /// What was taken by default or ignored.
  [[nodiscard]] std::span<const std::string> notes() const noexcept { return notes_; }

  /// The levels at which the network is called, noisiest first. Throws invalid_argument for a number of steps that the
  /// schedule cannot give.
  [[nodiscard]] std::vector<noise_level> levels(index steps) const {
    const std::span<const noise_level> reach{schedule_.data(), reach_};
    const auto spaced = [&]() -> std::vector<noise_level> {
      if (spacing_ == spacing::leading)
        return grids::leading{{.offset = offset_, .inner = multistep()}}.pick(reach, steps);
      if (spacing_ == spacing::trailing) return grids::trailing{}.pick(reach, steps);
      return kind_ == kind::euler ? unrounded(steps) : grids::linspace{{.inner = multistep()}}.pick(reach, steps);
    };
    if (placing_ == placing::none) return spaced();
    std::span<const noise_level> table{schedule_};
    if (kind_ == kind::euler) {  // it spreads between the ends of the spaced list, the others over the whole schedule
      const auto list = spaced();
      const auto first = static_cast<std::size_t>(list.back().time), last = static_cast<std::size_t>(list.front().time);
      table = table.subspan(first, last - first + 1);
    }
    switch (placing_) {
      case placing::karras:
        return grids::karras{{.time = time_}}.pick(table, steps);
      case placing::beta:
        return grids::beta{{.time = time_}}.pick(table, steps);
      default:
        return grids::log_snr{{.time = time_}}.pick(table, steps);
    }
  }
  /// The whole run; stage i calls the network at levels(steps)[i].
  [[nodiscard]] std::vector<stage> program(index steps) const {
    auto run = levels(steps);
    if (const auto* ddim = std::get_if<samplers::ddim>(&sampler_); ddim != nullptr && strides_miss(steps)) {
      check(ends_clean_,
            "io::diffusers_scheduler: set_alpha_to_one = false needs leading spacing, or trailing spacing ",
            "with a number of steps that divides ", schedule_.size(), ", got ", steps, " steps");
      return ddim->fixed_stride_program(schedule_, run);
    }
    if (ends_clean_)
      run.push_back(clean_level);
    else if (run.back().time > schedule_.front().time)
      run.push_back(schedule_.front());
    auto stages = std::visit([&](const auto& s) { return s.program(run); }, sampler_);
    if (auto& last = stages.back(); noise_at_end_ && last.at.time > 0) {
      last.noise_weight = learned_variance_ ? 1e-10 : last.at.sigma;  // the least that diffusers lets a deviation be
      if (learned_variance_) last.noise_most = last.at.sigma;
    }
    return stages;
  }
  /// A run starts from this much noise.
  [[nodiscard]] double start_scale(index steps) const {
    return kind_ == kind::euler && spacing_ != spacing::leading ? levels(steps).front().sigma : 1;
  }

 private:
  enum class kind { ddpm, ddim, euler, dpm_solver, unipc };
  static constexpr std::array<std::string_view, 5> class_names{"DDPMScheduler", "DDIMScheduler",
                                                               "EulerDiscreteScheduler", "DPMSolverMultistepScheduler",
                                                               "UniPCMultistepScheduler"};
  enum class spacing { leading, linspace, trailing };
  enum class placing { none, karras, exponential, beta };

  [[nodiscard]] bool multistep() const noexcept { return kind_ == kind::dpm_solver || kind_ == kind::unipc; }
  /// Whether a stride of ⌊T / n⌋, which DDIM always takes, is not what lies between the picked levels.
  [[nodiscard]] bool strides_miss(index steps) const noexcept {
    return spacing_ == spacing::linspace ||
           (spacing_ == spacing::trailing && static_cast<index>(schedule_.size()) % steps != 0);
  }
  /// Euler's linspace: times that are no whole numbers, sigma / alpha linear between those that are.
  [[nodiscard]] std::vector<noise_level> unrounded(index steps) const {
    grids::check_steps("io::diffusers_scheduler", schedule_, steps);
    std::vector<noise_level> out;
    const auto last = static_cast<double>(schedule_.size() - 1);
    for (index i = 0; i < steps; ++i) {
      const double time = steps == 1 ? 0 : last * static_cast<double>(steps - 1 - i) / static_cast<double>(steps - 1);
      const auto below = static_cast<std::size_t>(time);
      const auto& low = schedule_[below];
      const auto& high = schedule_[std::min(below + 1, schedule_.size() - 1)];
      const double ratio = std::lerp(low.sigma / low.alpha, high.sigma / high.alpha, time - static_cast<double>(below));
      out.push_back({1 / std::hypot(1, ratio), ratio / std::hypot(1, ratio), time});
    }
    return out;
  }

  void read_schedule(diffusers_config& config) {
    constexpr index most = 1'000'000;
    constexpr std::size_t longest_list = 10'000;
    const index steps = config.whole("num_train_timesteps", 1000, 1, most);
    const double first = config.number("beta_start", 1e-4, 0, 1), last = config.number("beta_end", 0.02, 0, 1);
    const auto curve = config.choice(
        "beta_schedule", "linear",
        std::array<std::string_view, 5>{"linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"});
    const auto betas = config.numbers("trained_betas", longest_list);
    check<data_error>(betas.empty() || static_cast<index>(betas.size()) == steps, config.who("trained_betas"),
                      " needs num_train_timesteps = ", steps, " elements, got ", betas.size());
    try {
      if (!betas.empty())
        schedule_ = schedules::from_betas(betas);
      else if (curve == 0)
        schedule_ = schedules::linear{{.beta_first = first, .beta_last = last, .steps = steps}}.levels();
      else if (curve == 1)
        schedule_ = schedules::scaled_linear{{.beta_first = first, .beta_last = last, .steps = steps}}.levels();
      else if (curve == 2)
        schedule_ = schedules::cosine{{.steps = steps}}.levels();
      else if (curve == 3)
        schedule_ = schedules::sigmoid{{.beta_first = first, .beta_last = last, .steps = steps}}.levels();
      else
        schedule_ = schedules::laplace{{.steps = steps, .compat = true}}.levels();
    } catch (const invalid_argument& fault) {
      throw data_error(concat(config.name(), ": ", fault.what()));
    }
    if (config.flag("rescale_betas_zero_snr", false)) {
      const auto output = prediction_.parameters().output;
      check<data_error>(output != diffusers_output::epsilon || (kind_ != kind::ddpm && kind_ != kind::ddim),
                        config.who("rescale_betas_zero_snr"),
                        " needs a prediction_type other than epsilon, from which the clean sample cannot be told "
                        "where no signal is left");
      schedule_ = schedules::rescaled_to_zero_snr(std::move(schedule_));
      if (kind_ != kind::ddpm && kind_ != kind::ddim)  // the others keep a squared alpha of 2^-24
        schedule_.back() = {0x1p-12, std::sqrt(1 - 0x1p-24), schedule_.back().time};
    }
    reach_ = schedule_.size();
  }
  void read_clipping(diffusers_config& config) {
    if (kind_ == kind::euler) return;
    const bool dynamic = config.flag("thresholding", false);
    const double most = config.number("sample_max_value", 1, 0, 1e30);
    const double share = config.number("dynamic_thresholding_ratio", 0.995, 0, 1);
    if (dynamic) clip_.limit = 1;
    if (dynamic && most > 1 && share > 0) clip_ = {.limit = 1, .share = share, .most = most};
    if (multistep()) return;
    const bool clips = config.flag("clip_sample", true);
    const double range = config.number("clip_sample_range", 1, 0, 1e30);
    if (clips && !dynamic) clip_.limit = range;
  }
  void read_ddpm(diffusers_config& config) {
    using samplers::ddpm_variance;
    constexpr std::array<std::string_view, 6> names{"fixed_small",     "fixed_large", "fixed_small_log",
                                                    "fixed_large_log", "learned",     "learned_range"};
    const auto chosen = config.choice("variance_type", "fixed_small", names);
    if (names[chosen] == "learned") learned_variance_ = variance_form::itself;
    if (names[chosen] == "learned_range") learned_variance_ = variance_form::between;
    const auto variance = learned_variance_ ? ddpm_variance::learned : static_cast<ddpm_variance>(chosen);
    check<data_error>(variance != ddpm_variance::fixed_large_log, config.who("variance_type"),
                      " is fixed_large_log, which is NaN in diffusers: use fixed_large");
    sampler_ = samplers::ddpm{{.variance = variance}};
    // diffusers draws at the step from the last level to the clean one too, unless that level has time 0
    noise_at_end_ = learned_variance_ || variance == ddpm_variance::fixed_large;
  }
  void read_ddim(diffusers_config& config) {
    sampler_ = samplers::ddim{};
    ends_clean_ = config.flag("set_alpha_to_one", true);
  }
  void read_sigma_solver(diffusers_config& config) {
    ends_clean_ = config.choice("final_sigmas_type", "zero", std::array<std::string_view, 2>{"sigma_min", "zero"}) == 1;
    read_placing(config);
    check<data_error>(ends_clean_ || placing_ == placing::none, config.who("final_sigmas_type"),
                      " is sigma_min, where the levels end anyway once their sigmas are spread: use zero");
    if (kind_ == kind::euler) {
      config.refuse("sigma_min", "it must be null");
      config.refuse("sigma_max", "it must be null");
      (void)config.choice("interpolation_type", "linear", std::array<std::string_view, 1>{"linear"});
      (void)config.choice("timestep_type", "discrete", std::array<std::string_view, 1>{"discrete"});
      sampler_ = samplers::euler{};
      return;
    }
    config.refuse("use_flow_sigmas", "flow matching has another schedule");
    config.refuse("use_dynamic_shifting", "flow matching has another schedule");
    (void)config.ask("flow_shift");
    (void)config.ask("time_shift_type");
    const auto order = static_cast<int>(config.whole("solver_order", 2, 1, 3));
    const bool low_order_end = config.flag("lower_order_final", true);
    if (kind_ == kind::unipc) {
      config.refuse("disable_corrector", "the corrector is on in all steps or in none");
      config.refuse("solver_p", "the predictor is UniPC's own");
      config.refuse("sigma_min", "it must be null");
      config.refuse("sigma_max", "it must be null");
      config.refuse("shift_terminal", "flow matching has another schedule");
      check<data_error>(config.flag("predict_x0", true), config.who("predict_x0"),
                        " must be true: the solver is in the clean estimate");
      const auto type = config.choice("solver_type", "bh2",
                                      std::array<std::string_view, 5>{"bh1", "bh2", "midpoint", "heun", "logrho"});
      check<data_error>(type != 0 || !ends_clean_, config.who("solver_type"),
                        " is bh1, which is NaN in diffusers unless final_sigmas_type is sigma_min");
      sampler_ = samplers::unipc{{.order = order,
                                  .kind = type == 0 ? samplers::unipc_kind::bh1 : samplers::unipc_kind::bh2,
                                  .low_order_end = low_order_end}};
    } else {
      read_dpm_solver(config, order, low_order_end);
    }
  }
  void read_placing(diffusers_config& config) {
    constexpr std::array<std::string_view, 4> keys{"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
                                                   "use_lu_lambdas"};
    int set = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i == 3 && kind_ != kind::dpm_solver) continue;  // an unknown key there
      if (!config.flag(keys[i], false)) continue;
      check<data_error>(++set == 1, config.who(keys[i]), " must be false where the sigmas are spread in another way");
      placing_ = i == 0 ? placing::karras : i == 2 ? placing::beta : placing::exponential;
      const auto* curve = config.ask("beta_schedule");
      const bool cosine = curve != nullptr && curve->string() == "squaredcos_cap_v2";
      const bool rounds = (i == 0 || i == 3) && !(kind_ == kind::dpm_solver && cosine);
      if (multistep()) time_ = rounds ? grids::grid_time::rounded : grids::grid_time::truncated;
    }
  }
  void read_dpm_solver(diffusers_config& config, int order, bool low_order_end) {
    if (config.ask("variance_type") != nullptr)  // it drops what the network says of the variance
      (void)config.choice("variance_type", {}, std::array<std::string_view, 2>{"learned", "learned_range"});
    const auto algorithm =
        config.choice("algorithm_type", "dpmsolver++",
                      std::array<std::string_view, 3>{"dpmsolver++", "sde-dpmsolver++", "dpmsolver"});
    const auto type = config.choice("solver_type", "midpoint",
                                    std::array<std::string_view, 5>{"midpoint", "heun", "logrho", "bh1", "bh2"});
    const auto slope = type == 1 ? samplers::slope_rule::heun : samplers::slope_rule::midpoint;
    check<data_error>(!config.flag("euler_at_final", false) || ends_clean_, config.who("euler_at_final"),
                      " must be false where final_sigmas_type is sigma_min");
    if (config.ask("lambda_min_clipped") != nullptr) {
      const double least = config.number("lambda_min_clipped", 0, -1e30, 1e30);
      while (reach_ > 0 && schedule_[reach_ - 1].lambda() < least) --reach_;
      check<data_error>(reach_ > 0, config.who("lambda_min_clipped"), " leaves no level, got ", least);
    }
    if (algorithm == 2) {
      check<data_error>(!ends_clean_, config.who("algorithm_type"),
                        " is dpmsolver, which needs final_sigmas_type = sigma_min");
      check<data_error>(!clip_.clips(), config.who("thresholding"), " needs algorithm_type = dpmsolver++");
      sampler_ = samplers::dpm_solver{{.order = order, .slope = slope, .low_order_end = low_order_end, .compat = true}};
    } else if (algorithm == 1) {
      check<data_error>(order < 3, config.who("solver_order"), " must be 1 or 2 under sde-dpmsolver++, got ", order);
      sampler_ = samplers::dpm_solver_pp_sde{{.order = order, .slope = slope, .low_order_end = low_order_end}};
    } else {
      sampler_ =
          samplers::dpm_solver_pp{{.order = order, .slope = slope, .low_order_end = low_order_end, .compat = true}};
    }
  }

  kind kind_ = kind::ddpm;
  diffusers_prediction prediction_;
  std::vector<noise_level> schedule_;
  std::size_t reach_ = 0;  // levels that spacing may pick
  clipping clip_;
  spacing spacing_ = spacing::leading;
  index offset_ = 0;
  placing placing_ = placing::none;
  grids::grid_time time_ = grids::grid_time::exact;
  bool ends_clean_ = true, noise_at_end_ = false;
  std::optional<variance_form> learned_variance_;
  std::variant<samplers::ddpm, samplers::ddim, samplers::euler, samplers::dpm_solver, samplers::dpm_solver_pp,
               samplers::dpm_solver_pp_sde, samplers::unipc>
      sampler_;
  std::vector<std::string> notes_;
};

}  // namespace anodiff::io
