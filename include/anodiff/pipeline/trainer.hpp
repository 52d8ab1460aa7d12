// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/core/progress.hpp>
#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/scale_rows.hpp>
#include <anodiff/pipeline/minibatch.hpp>
#include <anodiff/pipeline/sample_source.hpp>
#include <anodiff/pipeline/training_state.hpp>
#include <chrono>
#include <numeric>

namespace anodiff {

namespace detail {

/// Throws invalid_argument where a network's outputs are not what the prediction or the objective wants.
template <class Model, class Prediction, class Objective>
void check_outputs(const Prediction&, [[maybe_unused]] const Objective& objective, index got, index row_size) {
  if constexpr (time_estimator<Model>) {
    check(objective.outputs() == got, "trainer: the objective '", Objective::name, "' needs a network with ",
          objective.outputs(), " outputs, got ", got);
  } else {
    const index wanted = (learns_variance<Prediction> ? 2 : 1) * row_size;
    check(wanted == got, "trainer: the prediction '", Prediction::name, "' needs a network with ", wanted,
          " outputs, got ", got);
  }
}

}  // namespace detail

/// Trains a network to undo a corruption. One object lives as long as one fit; it allocates everything at birth, and a
/// step allocates nothing. The same seed gives the same bits on any number of threads.
template <trainable Model, prediction Prediction, class Corruption, class Objective>
class trainer {
 public:
  using engine_type = typename Model::engine_type;
  using real = typename Model::real;
  static_assert(corruption_on<Corruption, engine_type>, "trainer: the corruption cannot damage a batch on this engine");
  static constexpr bool learns_time = time_estimator<Model>;
  static constexpr bool scales = scales_input<Prediction> && !learns_time;
  static_assert(!scales || !remote_engine<engine_type>,
                "trainer: a prediction that scales the network's input needs the CPU engine");
  static constexpr bool learns_spread = learns_variance<Prediction> && !learns_time;
  static_assert(
      [] {
        if constexpr (learns_spread) return Prediction::variance == variance_form::between;
        return true;
      }(),
      "trainer: the prediction `learned` is for networks that were trained elsewhere; train with learned_range");
  static_assert(!learns_spread || variance_objective_on<Objective, engine_type>,
                "trainer: a prediction that learns a variance needs an objective that measures it: objectives::hybrid");
  static_assert(
      learns_spread || (learns_time ? time_objective_on<Objective, engine_type> : objective_on<Objective, engine_type>),
      "trainer: the objective cannot measure a batch of this model on this engine; a time estimator needs one "
      "of times, a denoiser one of samples");

  /// The source is borrowed, and its samples have the shape for which the model is built already.
  trainer(Model& model, const Prediction& prediction, const Corruption& corruption, const Objective& objective,
          std::span<const noise_level> levels, const training_params& params, const sample_source& source,
          std::uint64_t seed)
      : model_{model},
        corruption_{corruption},
        objective_{objective},
        params_{params},
        source_{source},
        train_rows_{source.training()},
        row_size_{source.row_size()},
        seed_{seed},
        schedule_(levels.begin(), levels.end()),
        prediction_{prediction} {
    params.verify();
    check(train_rows_ >= 1, "trainer: needs at least one training row, got ", train_rows_);
    batch_ = std::min(params.batch, train_rows_);
    if (const index wanted = views_wanted(objective); batch_ >= 2 * wanted) views_ = wanted;
    batch_ -= batch_ % views_;
    level_count_ = params.levels == 0 ? batch_ : std::min(params.levels, batch_);
    const auto count = static_cast<std::size_t>(model.parameter_count());
    state_.weights.assign(model.store().values().begin(), model.store().values().end());
    state_.average = state_.weights;
    state_.first.assign(count, 0);
    state_.second.assign(count, 0);
    network_ = std::make_unique<recorded>(model.record(nn::gradients::all));
    detail::check_outputs<Model>(prediction, objective, network_->tape.width(network_->output), row_size_);
    network_->tape.plan(batch_, level_count_);
    allocate();
  }

  [[nodiscard]] const training_state<real>& state() const noexcept { return state_; }
  /// Goes on from a state that an equal trainer has left.
  void restore(training_state<real> state) {
    check<data_error>(state.weights.size() == state_.weights.size() && state.first.size() == state_.first.size() &&
                          state.second.size() == state_.second.size() && state.average.size() == state_.average.size(),
                      "trainer: the state holds ", state.weights.size(), " parameters, the network has ",
                      state_.weights.size());
    state_ = std::move(state);
    order_epoch_ = -1;
  }

  /// Runs until `params.steps`, the time budget, or a progress callback that returns false; then gives the model its
  /// averaged weights. after_step(step) is called between steps, for checkpoints. Throws numeric_error where the loss
  /// is no longer finite, or has grown past any use.
  template <class AfterStep>
  void run(const progress_callback& report, AfterStep&& after_step) {
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::copy(state_.weights.begin(), state_.weights.end(), model_.store().values().begin());
    const index first = state_.step;
    bool going = true;
    while (going && state_.step < params_.steps) {
      const double loss = step();
      // outputs and targets are of order 1: such a loss is no longer learning, finite or not
      check<numeric_error>(loss < 1e8, "training: the loss ",
                           std::isfinite(loss) ? concat("has grown to ", loss) : "is not finite", " at step ",
                           state_.step, "; lower the rate (", params_.rate, ") or look for extreme values in the data");
      state_.loss = state_.step == 1
                        ? loss
                        : state_.loss + std::max(0.01, 1.0 / static_cast<double>(state_.step)) * (loss - state_.loss);
      if (state_.step % params_.validate_every == 0 || state_.step == params_.steps) state_.validation = validate();
      if (state_.step % 16 == 0 || state_.step == params_.steps) {
        const double now = seconds();
        going = report({.stage = "train",
                        .done = state_.step,
                        .total = params_.steps,
                        .loss = state_.loss,
                        .validation = state_.validation,
                        .seconds = now,
                        .rate = static_cast<double>((state_.step - first) * batch_) / now}) &&
                (params_.time_budget == 0 || now < params_.time_budget);
      }
      after_step(state_.step);
    }
    finish();
  }

  /// One optimiser step; returns the minibatch's mean loss.
  double step() {
    draw_batch();
    draw_levels();
    auto& tape = network_->tape;
    const noise_key key{.seed = seed_, .step = static_cast<std::uint32_t>(state_.step), .use = purpose::corruption};
    const corruption_batch<real> batch = damage(batch_, key);
    model_.describe({time_.data(), static_cast<std::size_t>(level_count_)}, features_.data());
    nn::pass pass{.rows = batch_,
                  .levels = level_count_,
                  .level = level_.data(),
                  .training = true,
                  .noise = key,
                  .draws = draws_.data()};
    pass.noise.use = purpose::dropout;
    tape.bind(network_->x, network_input(batch_));
    tape.bind(network_->features, features_.data());
    tape.prepare();
    tape.forward_levels(pass);
    tape.forward_rows(pass);
    narrow(batch);
    measure(batch_, tape.gradient(network_->output));
    tape.backward(pass, network_->output);
    descend();
    return std::accumulate(row_loss_.begin(), row_loss_.end(), 0.0) / static_cast<double>(batch_);
  }

 private:
  using recorded = typename Model::recorded;

  void allocate() {
    auto& machine = network_->tape.machine();
    const index size = batch_ * row_size_;
    taken_.resize(static_cast<std::size_t>(row_size_));
    rows_ = machine.allocate(size);
    damaged_ = machine.allocate(size);
    target_ = machine.allocate(size);
    if constexpr (scales) {
      scaled_ = machine.allocate(size);
      input_scale_ = machine.allocate(level_count_);
    }
    for (auto* table : {&alpha_, &sigma_, &clean_, &noise_, &weight_}) *table = machine.allocate(level_count_);
    features_ = machine.allocate(level_count_ * network_->tape.width(network_->features));
    time_.resize(static_cast<std::size_t>(level_count_));
    if constexpr (learns_spread) bound_.resize(time_.size());
    share_.resize(time_.size());
    level_.resize(static_cast<std::size_t>(batch_));
    draws_.resize(static_cast<std::size_t>(batch_));
    row_loss_.resize(static_cast<std::size_t>(batch_));
    norm_blocks_.resize(state_.weights.size() / ops::sum_block + 1);
    order_.resize(static_cast<std::size_t>(train_rows_));
  }

  /// The next rows of this epoch's order. An epoch's tail that does not fill a batch is left out.
  void draw_batch() {
    const index samples = batch_ / views_, per_epoch = std::max<index>(1, train_rows_ / samples);
    const index epoch = state_.step / per_epoch;
    if (epoch != order_epoch_) {
      shuffle_epoch(std::span{order_}, seed_, epoch);
      order_epoch_ = epoch;
    }
    const index first = state_.step % per_epoch * samples;
    for (index i = 0; i < batch_; ++i) {
      const auto from = order_[static_cast<std::size_t>(first + i / views_)];
      draws_[static_cast<std::size_t>(i)] = from + static_cast<std::uint32_t>(i % views_ * train_rows_);
      take(from, state_.step, i);
    }
  }
  void take(index place, index step, index row) {
    source_.take(place, {.seed = seed_, .step = static_cast<std::uint32_t>(step), .use = purpose::augmentation},
                 taken_);
    std::ranges::copy(taken_, rows_.begin() + row * row_size_);
  }
  /// Damages the rows taken.
  corruption_batch<real> damage(index rows, const noise_key& key) {
    const corruption_batch<real> batch{rows_.data(),
                                       damaged_.data(),
                                       target_.data(),
                                       rows,
                                       row_size_,
                                       alpha_.data(),
                                       sigma_.data(),
                                       clean_.data(),
                                       noise_.data(),
                                       level_.data(),
                                       key,
                                       draws_.data(),
                                       model_.sample_shape().sample,
                                       model_.sample_shape().groups};
    corruption_.corrupt(network_->tape.machine(), batch);
    return batch;
  }
  /// The damaged rows as the network sees them.
  [[nodiscard]] real* network_input([[maybe_unused]] index rows) {
    if constexpr (scales) {
      network_->tape.machine().run(
          ops::scale_rows<real>{damaged_.data(), scaled_.data(), input_scale_.data(), level_.data(), rows, row_size_});
      return scaled_.data();
    }
    return damaged_.data();
  }
  /// Leaves the loss where the corruption wants it.
  void narrow([[maybe_unused]] const corruption_batch<real>& batch) {
    if constexpr (part::narrows_the_loss<Corruption, engine_type>)
      corruption_.narrow(network_->tape.machine(), batch, network_->tape.data(network_->output));
  }
  /// The loss of the rows that have just gone through the network, and its gradient where one is wanted.
  void measure(index rows, real* gradient) {
    auto& tape = network_->tape;
    if constexpr (learns_time)
      objective_.measure(tape.machine(),
                         time_batch<real>{tape.data(network_->output), share_.data(), sigma_.data(), level_.data(),
                                          row_loss_.data(), gradient, rows, tape.width(network_->output), row_size_});
    else if constexpr (learns_spread)
      objective_.measure(tape.machine(), variance_batch<real>{
                                             tape.data(network_->output), target_.data(), weight_.data(), bound_.data(),
                                             static_cast<index>(schedule_.size()), level_.data(), row_loss_.data(),
                                             gradient, rows, row_size_, model_.sample_shape().sample.back()});
    else
      objective_.measure(tape.machine(),
                         {tape.data(network_->output), target_.data(), weight_.data(), level_.data(), row_loss_.data(),
                          gradient, rows, row_size_, model_.sample_shape().groups, gradient == nullptr ? 1 : views_});
  }
  /// The step's levels, dealt to the samples in turn, and far from one another to the views of one.
  void draw_levels() {
    const noise_key key{.seed = seed_, .step = static_cast<std::uint32_t>(state_.step), .use = purpose::level};
    const auto total = static_cast<index>(schedule_.size());
    for (index i = 0; i < level_count_; ++i)
      set_level(i, static_cast<std::size_t>(
                       drawn_level(random_uniform(key, static_cast<std::uint64_t>(i)), i, level_count_, total)));
    for (index i = 0; i < batch_; ++i)
      level_[static_cast<std::size_t>(i)] =
          static_cast<std::int32_t>((i / views_ + i % views_ * level_count_ / views_) % level_count_);
  }
  /// Level i of the batch becomes the schedule's at that place.
  void set_level(index i, std::size_t place) {
    const auto at = static_cast<std::size_t>(i);
    const noise_level& level = schedule_[place];
    const mixture target = prediction_.target(level);
    alpha_[at] = static_cast<real>(level.alpha);
    sigma_[at] = static_cast<real>(level.sigma);
    clean_[at] = static_cast<real>(target.first);
    noise_[at] = static_cast<real>(target.second);
    if constexpr (learns_time)
      share_[at] = static_cast<double>(place) / static_cast<double>(schedule_.size());
    else
      weight_[at] = static_cast<real>(objective_.weigh(level, prediction_.fold(level).second));
    if constexpr (learns_spread) bound_[at] = bound_at(schedule_, place, prediction_.fold(level).second);
    if constexpr (scales) input_scale_[at] = static_cast<real>(prediction_.input_scale(level));
    time_[at] = level.time;
  }
  /// Clips, moves the weights, and averages them.
  void descend() {
    auto& machine = network_->tape.machine();
    const auto gradient = network_->tape.parameter_gradients();
    const auto count = static_cast<index>(gradient.size());
    double scale = 1;
    if (params_.clip > 0) {
      double square = 0;
      machine.run(ops::sum_of_squares<real>{gradient.data(), count, norm_blocks_.data(), &square});
      const double norm = std::sqrt(square);
      if (norm > params_.clip) scale = params_.clip / norm;
    }
    auto op = adamw_numbers<real>(params_, state_.step++);
    op.weight = model_.store().values().data();
    op.gradient = gradient.data();
    op.first = state_.first.data();
    op.second = state_.second.data();
    op.average = state_.average.data();
    op.count = count;
    op.gradient_scale = static_cast<real>(scale);
    machine.run(op);
  }
  /// Mean loss of the averaged weights over the validation rows, each at one level and with noise of its own that never
  /// changes; 0 without validation rows.
  double validate() {
    const index rows = source_.count() - train_rows_;
    if (rows == 0) return 0;
    auto& store = model_.store();
    std::copy(store.values().begin(), store.values().end(), state_.weights.begin());
    std::copy(state_.average.begin(), state_.average.end(), store.values().begin());
    auto& tape = network_->tape;
    for (index i = 0; i < level_count_; ++i)
      set_level(i, static_cast<std::size_t>((2 * i + 1) * static_cast<index>(schedule_.size()) / (2 * level_count_)));
    model_.describe({time_.data(), static_cast<std::size_t>(level_count_)}, features_.data());
    tape.bind(network_->features, features_.data());
    tape.prepare();
    double sum = 0;
    for (index first = 0; first < rows; first += batch_) {
      const index count = std::min(batch_, rows - first);
      for (index i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        draws_[at] = static_cast<std::uint32_t>(train_rows_ + first + i);
        level_[at] = static_cast<std::int32_t>((first + i) % level_count_);
        take(train_rows_ + first + i, 0, i);
      }
      const corruption_batch<real> batch = damage(count, {.seed = seed_, .use = purpose::corruption});
      const nn::pass pass{.rows = count, .levels = level_count_, .level = level_.data()};
      tape.bind(network_->x, network_input(count));
      tape.forward_levels(pass);
      tape.forward_rows(pass);
      narrow(batch);
      measure(count, nullptr);
      sum += std::accumulate(row_loss_.begin(), row_loss_.begin() + count, 0.0);
    }
    std::copy(state_.weights.begin(), state_.weights.end(), store.values().begin());
    return sum / static_cast<double>(rows);
  }
  void finish() {
    auto values = model_.store().values();
    std::copy(values.begin(), values.end(), state_.weights.begin());
    const auto& learned = params_.average > 0 ? state_.average : state_.weights;
    std::copy(learned.begin(), learned.end(), values.begin());
  }

 public:
  /// Copies the weights of the running network into state(), which is then complete.
  void settle() { std::copy(model_.store().values().begin(), model_.store().values().end(), state_.weights.begin()); }

 private:
  Model& model_;
  Corruption corruption_;
  Objective objective_;
  training_params params_;
  const sample_source& source_;
  index train_rows_, row_size_, batch_ = 0, level_count_ = 0, views_ = 1;
  std::uint64_t seed_;
  std::vector<noise_level> schedule_;
  Prediction prediction_;
  training_state<real> state_;
  std::unique_ptr<recorded> network_;
  typename engine_type::buffer rows_, damaged_, target_, alpha_, sigma_, clean_, noise_, weight_, features_, scaled_,
      input_scale_;
  std::vector<float> taken_;
  std::vector<double> time_, share_, row_loss_, norm_blocks_;
  std::vector<bound_of_level> bound_;
  std::vector<std::int32_t> level_;
  std::vector<std::uint32_t> draws_, order_;
  index order_epoch_ = -1;
};

namespace detail {

/// Who trains a model in a detector; for an engine with a memory of its own pipeline/resident_trainer.cuh says it.
template <class Model, class Prediction, class Corruption, class Objective>
struct trainer_of {
  using type = trainer<Model, Prediction, Corruption, Objective>;
};
template <class Model, class Prediction, class Corruption, class Objective>
requires remote_engine<typename Model::engine_type>
struct trainer_of<Model, Prediction, Corruption, Objective> {
  static_assert(!remote_engine<typename Model::engine_type>,
                "detector: to learn on a GPU it needs <anodiff/anodiff_cuda.cuh>, with the trainer for it");
};

}  // namespace detail

}  // namespace anodiff
