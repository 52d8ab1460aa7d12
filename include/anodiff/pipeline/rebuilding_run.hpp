// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/conditioner.hpp>
#include <anodiff/concepts/corruption.hpp>
#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/sampler.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/dynamic_threshold.hpp>
#include <anodiff/ops/elementwise.hpp>
#include <anodiff/ops/learned_noise.hpp>
#include <anodiff/ops/noise.hpp>
#include <anodiff/ops/scaled_sum.hpp>
#include <anodiff/pipeline/adaptive_loop.hpp>
#include <anodiff/pipeline/clipping.hpp>
#include <anodiff/pipeline/network_run.hpp>

namespace anodiff {

static_assert(stage::past_slots == ops::past_slots, "the update has a slot for each past estimate of a stage");

namespace detail {

/// at(i, rows): the number of stage i for each of the rows, in the engine's memory.
template <class Engine>
class stage_levels {
 public:
  stage_levels(const Engine&, std::size_t, index max_rows) : level_(static_cast<std::size_t>(max_rows)) {}
  [[nodiscard]] const std::int32_t* at(std::size_t i, index rows) {
    std::fill_n(level_.begin(), rows, static_cast<std::int32_t>(i));
    return level_.data();
  }

 private:
  std::vector<std::int32_t> level_;
};
template <remote_engine Engine>
class stage_levels<Engine> {
 public:
  stage_levels(const Engine& machine, std::size_t stages, index max_rows) : max_rows_{max_rows} {
    std::vector<std::int32_t> all;
    for (std::size_t i = 0; i < stages; ++i)
      all.insert(all.end(), static_cast<std::size_t>(max_rows), static_cast<std::int32_t>(i));
    level_ = machine.upload(all);
  }
  [[nodiscard]] const std::int32_t* at(std::size_t i, index) const noexcept {
    return level_.data() + static_cast<index>(i) * max_rows_;
  }

 private:
  index max_rows_;
  decltype(std::declval<const Engine&>().upload(std::declval<const std::vector<std::int32_t>&>())) level_;
};

}  // namespace detail

/// The denoising loop over a fixed program: plans at birth, then runs without allocating. This is the library's hot
/// loop: one call of the network and one fused update a stage.
template <denoiser Model, prediction Prediction>
class denoising_loop {
 public:
  using engine_type = typename Model::engine_type;
  using real = typename engine_type::real;

  /// Throws invalid_argument for clipping out of range, and for a program that draws with a learned variance where the
  /// prediction has none.
  denoising_loop(const Model& model, const Prediction& prediction, std::vector<stage> program, index max_rows,
                 index row_size, const clipping& clip)
      : machine_{model.engine()},
        program_{std::move(program)},
        row_size_{row_size},
        clip_{clip},
        run_{model, prediction, levels_of(program_), max_rows, row_size},
        level_{machine_, program_.size(), max_rows} {
    clip.verify();
    for (const auto& s : program_) {
      check(s.noise_most == 0 || network_run<Model, Prediction>::splits,
            "denoising_loop: the sampler draws with a learned variance, which the prediction '", Prediction::name,
            "' does not have; use predictions::learned_range");
      saves_ = saves_ || s.save_x;
      for (std::size_t k = 0; k < stage::past_slots; ++k)
        if (s.past_weight[k] != 0) depth_ = std::max(depth_, k + 1);
    }
    for (auto& s : program_) {
      mixture fold = fold_of<Model>(prediction, s.at);
      const bool other = depth_ > 0 && s.keeps() && (s.keep_x != 0 || s.keep_clean != 1);
      clips_first_.push_back(clip.dynamic() || (other && clip.clips()));
      keeps_.push_back({});
      if (other) {  // the update is written in what is kept, which takes the place of the clean estimate
        keeps_.back() = {static_cast<real>(s.keep_x), static_cast<real>(s.keep_clean), 0};
        if (!clip.clips()) fold = {s.keep_x + s.keep_clean * fold.first, s.keep_clean * fold.second};
        s.x_weight -= s.clean_weight * s.keep_x / s.keep_clean;
        s.clean_weight /= s.keep_clean;
      }
      folds_.push_back({static_cast<real>(fold.first), static_cast<real>(fold.second),
                        static_cast<real>(clip.dynamic() ? 0 : clip.limit)});
    }
    if (clip.dynamic()) {
      clean_ = machine_.allocate(max_rows * row_size);
      sizes_ = machine_.allocate(max_rows * row_size);
    }
    if (saves_) saved_ = machine_.allocate(max_rows * row_size);
    if (depth_ > 0)
      for (std::size_t k = 0; k <= depth_; ++k) past_.push_back(machine_.allocate(max_rows * row_size));
  }

  /// x (rows, row_size) goes from the program's first level to its last, in place. Stage i draws noise from key with
  /// step i, seed and draw from *when_run where that is given (see ops::row_noise); after_step(i) is called once x has
  /// reached the level after stage i.
  template <class AfterStep>
  void run(real* x, index rows, const noise_key& key, AfterStep&& after_step, const noise_key* when_run = nullptr) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < program_.size(); ++i) {
      const stage& s = program_[i];
      ops::combine<real> op{};
      op.x = x;
      op.output = run_.output(x, level_.at(i, rows), rows);
      if (s.save_x) machine_.run(ops::accumulate<real>{x, saved_.data(), rows * row_size_, false});
      op.saved = saves_ ? saved_.data() : nullptr;
      if (depth_ > 0) {
        op.clean = s.keeps() ? past_[kept % past_.size()].data() : nullptr;
        for (std::size_t k = 0; k < depth_ && k < kept; ++k) op.past[k] = past_[(kept - 1 - k) % past_.size()].data();
        if (s.keeps()) ++kept;
      }
      op.next = x;
      op.rows = rows;
      op.row_size = row_size_;
      op.fold = folds_[i];
      if (clips_first_[i]) {
        ops::combine<real> clip = op;
        clip.next = nullptr;
        if (clip_.dynamic()) clip.clean = clean_.data();
        machine_.run(clip);
        if (clip_.dynamic())
          machine_.run(ops::dynamic_threshold<real>{clip.clean, rows, row_size_, clip_.share, clip_.limit, clip_.most,
                                                    sizes_.data()});
        op.output = clip.clean;
        op.fold = keeps_[i];
      }
      op.wx = static_cast<real>(s.x_weight);
      op.ws = static_cast<real>(s.saved_weight);
      op.wc = static_cast<real>(s.clean_weight);
      op.wz = static_cast<real>(s.noise_most == 0 ? s.noise_weight : 0);
      for (std::size_t k = 0; k < stage::past_slots; ++k) op.wp[k] = static_cast<real>(s.past_weight[k]);
      op.noise.key = key;
      op.noise.key.step = static_cast<std::uint32_t>(i);
      op.noise.when_run = when_run;
      machine_.run(op);
      if constexpr (network_run<Model, Prediction>::splits)
        if (s.noise_most != 0) draw_with_variance(s, op);
      after_step(i);
    }
  }
  [[nodiscard]] std::span<const stage> program() const noexcept { return program_; }
  /// The level of x after stage i of a run that ends at `end`.
  [[nodiscard]] noise_level level_after(std::size_t i, const noise_level& end) const noexcept {
    return i + 1 < program_.size() ? program_[i + 1].at : end;
  }

 private:
  void draw_with_variance(const stage& s, const ops::combine<real>& op) {
    const bool between = Prediction::variance == variance_form::between;
    machine_.run(ops::learned_noise<real>{op.next, run_.variance(), op.rows, row_size_,
                                          static_cast<real>(between ? s.noise_weight : 0),
                                          static_cast<real>(between ? s.noise_most : 0), op.noise});
  }
  [[nodiscard]] static std::vector<noise_level> levels_of(const std::vector<stage>& program) {
    std::vector<noise_level> levels;
    for (const auto& s : program) levels.push_back(s.at);
    return levels;
  }

  engine_type machine_;
  std::vector<stage> program_;
  index row_size_;
  clipping clip_;
  network_run<Model, Prediction> run_;
  detail::stage_levels<engine_type> level_;
  std::vector<ops::fold_weights<real>> folds_, keeps_;
  std::vector<bool> clips_first_;  // the clean estimate is clipped in a pass of its own, before what is kept is made
  bool saves_ = false;
  std::size_t depth_ = 0;
  typename engine_type::buffer saved_, clean_, sizes_;
  std::vector<typename engine_type::buffer> past_;
};

/// Rebuilds rows: brings the input to the start of the run, as `from` says, with the noise of the corruption that the
/// model has learned to undo, and denoises it to the end.
template <denoiser Model, prediction Prediction, class Sampler, conditioner Conditioner, class Corruption>
class rebuilding_run {
  static constexpr bool adapts = adaptive_sampler<Sampler>;
  static_assert(adapts || sampler<Sampler>, "rebuilding_run: needs a sampler");
  static_assert(!learns_variance<Prediction> || takes_learned_variance<Sampler>,
                "rebuilding_run: a prediction that learns a variance needs a sampler that draws with it: use "
                "samplers::ddpm with variance = learned");
  static_assert(!damages_classes<Corruption>,
                "rebuilding_run: categories are not rebuilt; use a scorer that looks at them one call at a time, such "
                "as scorers::mixed_denoising_error");
  static_assert(!adapts || !steers<Conditioner>,
                "rebuilding_run: a sampler whose rows find their own steps cannot be steered after each of them");

 public:
  /// levels: noisiest first, the last one being the end of the run.
  rebuilding_run(const Model& model, const Prediction& prediction, const Sampler& sampling,
                 const Conditioner& condition, const Corruption& corruption, std::vector<noise_level> levels,
                 start from, std::uint64_t seed, index max_rows, index row_size, const clipping& clip)
      : condition_{condition},
        corruption_{corruption},
        sample_{sample_of(model)},
        levels_{condition.bind({}).levels(std::move(levels))},
        from_{from},
        seed_{seed},
        row_size_{row_size},
        machine_{model.engine()},
        loop_{loop_of(model, prediction, sampling, condition, levels_, max_rows, row_size, clip)},
        first_level_{machine_, 1, max_rows},
        scale_{machine_.allocate(2)} {
    const float scale[] = {static_cast<float>(levels_.front().alpha), static_cast<float>(levels_.front().sigma)};
    if constexpr (remote) {
      machine_.upload(std::span<const float>{scale}, scale_.data());
      state_ = machine_.allocate(max_rows * row_size);
    } else {
      std::copy(std::begin(scale), std::end(scale), scale_.data());
    }
  }

  /// out (n, d) = what the run makes of x (n, d), with the noise of repeat `draw`, which is the same for all rows.
  void rebuild(tensor_view<const float, 2> x, std::uint32_t draw, tensor_view<float, 2> out) {
    const index rows = x.rows(), count = x.size();
    real* const state = state_of(out);
    if constexpr (remote) machine_.upload(x.flat(), state);
    const real* const from = remote ? state : x.data();
    const noise_key key{.seed = seed_, .draw = draw, .use = purpose::scoring};
    const auto alpha = static_cast<float>(levels_.front().alpha), sigma = static_cast<float>(levels_.front().sigma);
    if constexpr (part::has_noise_of_its_own<Corruption, engine_type>) {
      if (from_.kind == start_kind::noised) {
        corruption_.noise(machine_,
                          {.out = out.data(), .rows = rows, .row_size = row_size_, .key = key, .sample = sample_});
        std::transform(x.data(), x.data() + count, out.data(), out.data(),
                       [=](float v, float noise) { return alpha * v + sigma * noise; });
      }
    } else if (from_.kind == start_kind::noised) {
      machine_.run(ops::corrupt_rows<real>{from,
                                           state,
                                           nullptr,
                                           rows,
                                           row_size_,
                                           scale_.data(),
                                           scale_.data() + 1,
                                           nullptr,
                                           nullptr,
                                           first_level_.at(0, rows),
                                           {key}});
    }
    if (from_.kind != start_kind::noised)
      machine_.run(ops::scaled_sum<real>{from, nullptr, state, count, from_.kind == start_kind::scaled ? alpha : 1.0F});
    if constexpr (adapts) {
      loop_.run(state, rows);
    } else {
      auto bound = condition_.bind({x, seed_, draw});
      if constexpr (part::acts_before_the_run<decltype(bound)>) {
        fetch(out);
        bound.enter(out, levels_.front());
        if constexpr (remote) machine_.upload(tensor_view<const float, 2>{out}.flat(), state);
      }
      loop_.run(state, rows, {.seed = seed_, .draw = draw, .use = purpose::step}, [&](std::size_t i) {
        if constexpr (steers<Conditioner>) {
          fetch(out);
          bound.after_step(out, loop_.level_after(i, levels_.back()));
          if constexpr (remote) machine_.upload(tensor_view<const float, 2>{out}.flat(), state);
        }
      });
    }
    fetch(out);
  }

 private:
  using engine_type = typename Model::engine_type;
  using real = typename engine_type::real;
  static constexpr bool remote = remote_engine<engine_type>;
  static_assert(
      !remote || (!adapts && !part::has_noise_of_its_own<Corruption, engine_type>),
      "rebuilding_run: a sampler whose rows find their own steps, and a corruption with noise of its own, need "
      "the CPU engine");

  /// Where a run works: in `out` itself, or in the engine's memory, from where fetch() brings what is there.
  [[nodiscard]] real* state_of(tensor_view<float, 2> out) {
    if constexpr (remote)
      return state_.data();
    else
      return out.data();
  }
  void fetch([[maybe_unused]] tensor_view<float, 2> out) {
    if constexpr (remote) machine_.download(state_.data(), std::span{out.data(), static_cast<std::size_t>(out.size())});
  }
  [[nodiscard]] static std::vector<index> sample_of(const Model& model) {
    if constexpr (trainable<Model>) return model.sample_shape().sample;
    return {};
  }

  [[nodiscard]] static auto loop_of(const Model& model, const Prediction& prediction, const Sampler& sampling,
                                    [[maybe_unused]] const Conditioner& condition,
                                    const std::vector<noise_level>& levels, index max_rows, index row_size,
                                    const clipping& clip) {
    if constexpr (adapts)
      return adaptive_loop<Model, Prediction, Sampler>{model, prediction, sampling, levels, max_rows, row_size, clip};
    else if constexpr (part::rewrites_the_program<Conditioner>)
      return denoising_loop<Model, Prediction>{
          model, prediction, condition.program(sampling.program(levels), levels.back()), max_rows, row_size, clip};
    else
      return denoising_loop<Model, Prediction>{model, prediction, sampling.program(levels), max_rows, row_size, clip};
  }

  Conditioner condition_;
  Corruption corruption_;
  std::vector<index> sample_;
  std::vector<noise_level> levels_;
  start from_;
  std::uint64_t seed_;
  index row_size_;
  engine_type machine_;
  decltype(loop_of(std::declval<const Model&>(), std::declval<const Prediction&>(), std::declval<const Sampler&>(),
                   std::declval<const Conditioner&>(), {}, index{}, index{}, clipping{})) loop_;
  detail::stage_levels<engine_type> first_level_;
  typename engine_type::buffer scale_;  // alpha and sigma of the first level
  typename engine_type::buffer state_;  // for a remote engine alone
};

}  // namespace anodiff
