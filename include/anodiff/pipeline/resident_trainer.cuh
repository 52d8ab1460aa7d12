// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cuda.cuh>
#include <anodiff/pipeline/trainer.hpp>

namespace anodiff {

namespace detail {

/// What changes from step to step, in device memory: a recorded step reads it there.
struct training_now {
  noise_key key;                   ///< seed and step
  index first;                     ///< of the batch, in the epoch's order
  ops::adamw_step<float> numbers;  ///< rate, corrections and average_decay
};

/// The rows of a training step, out of the epoch's order, and its levels: place[i] in the schedule for each of `count`,
/// and each row's.
struct draw_step {
  const training_now* now;
  const std::int32_t* order;
  std::int32_t *row, *place, *row_place;  ///< (rows), (count), (rows)
  index count, total, rows;
};
template <class T>
__global__ void draw_step_kernel(const T op) {
  const index i = index{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= op.rows) return;
  op.row[i] = op.order[op.now->first + i];
  noise_key key = op.now->key;
  key.use = purpose::level;
  const auto level = static_cast<std::uint32_t>(i % op.count), which = level % 4;
  const auto words = ops::cuda::detail::words_of(key, level / 4);
  const std::uint32_t word = which == 0 ? words[0] : which == 1 ? words[1] : which == 2 ? words[2] : words[3];
  const auto place = static_cast<std::int32_t>(drawn_level((word + 0.5) * 0x1p-32, level, op.count, op.total));
  op.row_place[i] = place;
  if (i < op.count) op.place[i] = place;
}

}  // namespace detail

/// Trains a network whose training rows lie on the GPU, with the batches, levels and noise of `trainer`: a step asks
/// nothing of the host and waits for nothing, and from the third one on is one launch, of a graph.
template <trainable Model, prediction Prediction, class Corruption, class Objective>
class resident_trainer {
 public:
  using real = float;
  using recorded = typename Model::recorded;
  static constexpr bool learns_time = time_estimator<Model>;
  static_assert(corruption_on<Corruption, cuda_engine> &&
                    (learns_time ? time_objective_on<Objective, cuda_engine> : objective_on<Objective, cuda_engine>),
                "resident_trainer: the corruption or the objective has no form for the GPU");
  static_assert(!scales_input<Prediction> || learns_time,
                "resident_trainer: a prediction that scales the input has no form for the GPU");
  static_assert((!learns_variance<Prediction> || learns_time) && !damages_classes<Corruption> &&
                    !part::wants_views<Objective>,
                "resident_trainer: learned variances, categories and samples taken twice need the CPU engine");

  /// rows (n, d) and validation (m, d), which may be none, in host memory; the model is built for them. Throws
  /// invalid_argument for no rows, memory_error where they do not fit.
  resident_trainer(Model& model, const Prediction& prediction, const Corruption& corruption, const Objective& objective,
                   std::span<const noise_level> levels, const training_params& params, tensor_view<const float, 2> rows,
                   std::uint64_t seed, tensor_view<const float, 2> validation = {})
      : model_{model},
        corruption_{corruption},
        objective_{objective},
        params_{params},
        seed_{seed},
        on_{model.engine()},
        network_{model.record(nn::gradients::all)},
        count_{rows.rows()},
        row_size_{rows.row_size()},
        total_{static_cast<index>(levels.size())},
        validation_count_{validation.rows()} {
    params.verify();
    check(count_ >= 1, "resident_trainer: needs at least one training row, got ", count_);
    batch_ = std::min(params.batch, count_);
    level_count_ = params.levels == 0 ? batch_ : std::min(params.levels, batch_);
    check(validation_count_ == 0 || validation.row_size() == row_size_, "resident_trainer: rows of ", row_size_,
          " columns need validation rows of as many, got ", validation.row_size());
    rows_ = on_.upload(rows.flat());
    validation_ = on_.upload(validation.flat());
    upload_schedule(prediction, levels);
    auto& tape = network_.tape;
    detail::check_outputs<Model>(prediction, objective, tape.width(network_.output), row_size_);
    tape.plan(batch_, level_count_);
    for (auto* memory : {&taken_, &damaged_, &target_}) *memory = on_.allocate(batch_ * row_size_);
    features_ = on_.allocate(level_count_ * tape.width(network_.features));
    place_ = on_.template allocate<std::int32_t>(level_count_);
    row_place_ = on_.template allocate<std::int32_t>(batch_);
    taken_row_ = on_.template allocate<std::int32_t>(batch_);
    order_ = on_.template allocate<std::int32_t>(count_);
    now_ = on_.template allocate<detail::training_now>(1);
    row_loss_ = on_.template allocate<double>(batch_);
    std::vector<std::int32_t> in_turn;
    for (index i = 0; i < batch_; ++i) in_turn.push_back(static_cast<std::int32_t>(i % level_count_));
    row_level_ = on_.upload(in_turn);
    const auto weights = tape.parameter_memory();
    const auto parameters = static_cast<index>(weights.size());
    for (auto* moments : {&first_, &second_, &average_, &kept_}) *moments = on_.allocate(parameters);
    on_.run(ops::fill<float>{first_.data(), parameters, 0});
    on_.run(ops::fill<float>{second_.data(), parameters, 0});
    on_.send(weights.data(), average_.data(), parameters);
    squares_ = on_.template allocate<double>(parameters / ops::sum_block + 2);
    tape.bind(network_.x, damaged_.data());
    tape.bind(network_.features, features_.data());
  }

  /// The same with the rows of a source, those that train and those that only measure.
  resident_trainer(Model& model, const Prediction& prediction, const Corruption& corruption, const Objective& objective,
                   std::span<const noise_level> levels, const training_params& params, const row_source& source,
                   std::uint64_t seed)
      : resident_trainer{model,
                         prediction,
                         corruption,
                         objective,
                         levels,
                         params,
                         source.rows().slice(0, source.training()),
                         seed,
                         source.rows().slice(source.training(), source.count())} {}

  /// Runs as `trainer` does until `params.steps`, the time budget, or a callback that returns false, and gives the
  /// model what it has learned; the loss is looked at, and the callback called, at every sixteenth step alone, for that
  /// waits.
  template <class AfterStep>
  void run(const progress_callback& report, AfterStep&& after_step) {
    const auto start = std::chrono::steady_clock::now();
    const index first = step_;
    double validation = 0;
    for (bool going = true; going && step_ < params_.steps;) {
      step();
      const bool last = step_ == params_.steps;
      const bool looks = last || step_ % 16 == 0;
      const double found = looks ? loss() : 0;
      check<numeric_error>(found < 1e8, "training: the loss is not finite or has grown past any use at step ", step_,
                           "; lower the rate (", params_.rate, ") or look for extreme values in the data");
      if (last || step_ % params_.validate_every == 0) validation = validate();
      if (looks) {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        going = report({.stage = "train",
                        .done = step_,
                        .total = params_.steps,
                        .loss = found,
                        .validation = validation,
                        .seconds = seconds,
                        .rate = static_cast<double>((step_ - first) * batch_) / seconds}) &&
                (params_.time_budget == 0 || seconds < params_.time_budget);
      }
      after_step(step_);
    }
    finish();
  }
  /// Nothing: state() always has all there is.
  void settle() const noexcept {}

  [[nodiscard]] index steps_done() const noexcept { return step_; }

  /// Launches and copies of a step's graph; 0 before there is one.
  [[nodiscard]] std::size_t graph_size() const noexcept { return graph_.size(); }

  /// One optimiser step, put on the engine's stream. The first one goes launch by launch, so that whatever is chosen or
  /// loaded at first use is there when the second one is recorded.
  void step() {
    begin_step();
    if (steps_here_ == 1) graph_ = device::graph{on_.stream(), [&] { enqueue_step(); }};
    if (graph_.exists())
      graph_.replay(on_.stream());
    else
      enqueue_step();
    ++steps_here_;
    ++step_;
  }
  /// Mean loss of the last step's rows; waits for it.
  [[nodiscard]] double loss() const { return mean_of(batch_); }
  /// Mean loss of the averaged weights over the validation rows, as `trainer` measures it: each row at one level and
  /// with noise of its own that never changes; 0 without validation rows. Waits for it.
  [[nodiscard]] double validate() {
    if (validation_count_ == 0) return 0;
    const auto weights = network_.tape.parameter_memory();
    const auto parameters = static_cast<index>(weights.size());
    on_.send(weights.data(), kept_.data(), parameters);
    on_.send(average_.data(), weights.data(), parameters);
    std::vector<std::int32_t> place;
    for (index i = 0; i < level_count_; ++i)
      place.push_back(static_cast<std::int32_t>((2 * i + 1) * total_ / (2 * level_count_)));
    on_.upload(std::span<const std::int32_t>{place}, place_.data());
    describe_levels();
    double sum = 0;
    for (index first = 0; first < validation_count_; first += batch_) {
      const index count = std::min(batch_, validation_count_ - first);
      std::vector<std::int32_t> level, of_row, draws;
      for (index i = first; i < first + count; ++i) {
        level.push_back(static_cast<std::int32_t>(i % level_count_));
        of_row.push_back(place[static_cast<std::size_t>(i % level_count_)]);
        draws.push_back(static_cast<std::int32_t>(count_ + i));
      }
      const auto on_level = on_.upload(level);
      on_.upload(std::span<const std::int32_t>{of_row}, row_place_.data());
      on_.upload(std::span<const std::int32_t>{draws}, taken_row_.data());
      const float* const from = validation_.data() + first * row_size_;
      measure(from, {.rows = count, .levels = level_count_, .level = on_level.data()}, nullptr, nullptr);
      sum += mean_of(count) * static_cast<double>(count);
    }
    on_.send(kept_.data(), weights.data(), parameters);
    return sum / static_cast<double>(validation_count_);
  }

  /// All that a later run needs to go on to the same bits, which is what `trainer` keeps as well: see
  /// write_checkpoint(). Its losses are the last step's and, measured now, the validation rows'. Waits.
  [[nodiscard]] training_state<float> state() {
    const auto weights = network_.tape.parameter_memory();
    training_state<float> made;
    made.step = step_;
    const auto fetch = [&](const float* from, aligned_vector<float>& to) {
      to.resize(weights.size());
      on_.download(from, std::span{to});
    };
    fetch(weights.data(), made.weights);
    fetch(first_.data(), made.first);
    fetch(second_.data(), made.second);
    fetch(average_.data(), made.average);
    made.loss = steps_here_ > 0 ? loss() : loss_before_;
    made.validation = validate();
    return made;
  }
  /// Goes on from a state that an equal trainer has left, on whatever engine. Throws data_error for another network's.
  void restore(const training_state<float>& state) {
    const auto weights = network_.tape.parameter_memory();
    for (const auto* part : {&state.weights, &state.first, &state.second, &state.average})
      check<data_error>(part->size() == weights.size(), "resident_trainer: the state holds ", part->size(),
                        " parameters, the network has ", weights.size());
    on_.upload(std::span<const float>{state.weights}, weights.data());
    on_.upload(std::span<const float>{state.first}, first_.data());
    on_.upload(std::span<const float>{state.second}, second_.data());
    on_.upload(std::span<const float>{state.average}, average_.data());
    step_ = state.step;
    loss_before_ = state.loss;
    order_epoch_ = -1;
  }
  /// Gives the model the averaged weights, or the last ones where nothing is averaged; waits for them.
  void finish() const {
    const auto& learned = params_.average > 0 ? average_.data() : network_.tape.parameter_memory().data();
    on_.download(learned, model_.store().values());
  }

 private:
  /// Tables over the whole schedule, so that a step only names places in it.
  void upload_schedule(const Prediction& prediction, std::span<const noise_level> levels) {
    std::vector<float> alpha, sigma, clean, noise, weight;
    std::vector<double> times, share;
    for (const auto& level : levels) {
      const mixture target = prediction.target(level);
      alpha.push_back(static_cast<float>(level.alpha));
      sigma.push_back(static_cast<float>(level.sigma));
      clean.push_back(static_cast<float>(target.first));
      noise.push_back(static_cast<float>(target.second));
      if constexpr (learns_time)
        share.push_back(static_cast<double>(times.size()) / static_cast<double>(levels.size()));
      else
        weight.push_back(static_cast<float>(objective_.weigh(level, prediction.fold(level).second)));
      times.push_back(level.time);
    }
    alpha_ = on_.upload(alpha);
    sigma_ = on_.upload(sigma);
    clean_ = on_.upload(clean);
    noise_ = on_.upload(noise);
    weight_ = on_.upload(weight);
    share_ = on_.upload(share);
    all_features_ = on_.allocate(total_ * network_.tape.width(network_.features));
    model_.describe(times, all_features_.data());
  }
  /// What the step depends on, where its kernels read it; the order of the rows, where an epoch begins.
  void begin_step() {
    const index per_epoch = std::max<index>(1, count_ / batch_), epoch = step_ / per_epoch;
    if (epoch != order_epoch_) {
      std::vector<std::int32_t> order(static_cast<std::size_t>(count_));
      shuffle_epoch(std::span{order}, seed_, epoch);
      on_.upload(std::span<const std::int32_t>{order}, order_.data());
      order_epoch_ = epoch;
    }
    on_.run(
        ops::cuda::set_value<detail::training_now>{now_.data(),
                                                   {.key = {.seed = seed_, .step = static_cast<std::uint32_t>(step_)},
                                                    .first = step_ % per_epoch * batch_,
                                                    .numbers = adamw_numbers<float>(params_, step_)}});
  }
  /// The same for every step: a batch, its gradient, and the optimiser.
  void enqueue_step() {
    const detail::draw_step drawn{.now = now_.data(),
                                  .order = order_.data(),
                                  .row = taken_row_.data(),
                                  .place = place_.data(),
                                  .row_place = row_place_.data(),
                                  .count = level_count_,
                                  .total = total_,
                                  .rows = batch_};
    constexpr unsigned block = 128;
    device::launch(on_.stream(), {device::blocks_for(batch_, block), block},
                   &detail::draw_step_kernel<detail::draw_step>, drawn);
    on_.run(ops::embedding_forward<float>{rows_.data(), taken_row_.data(), taken_.data(), batch_, row_size_});
    describe_levels();
    auto& tape = network_.tape;
    const noise_key* const now = &now_.data()->key;
    nn::pass pass{.rows = batch_,
                  .levels = level_count_,
                  .level = row_level_.data(),
                  .training = true,
                  .noise = {.seed = seed_, .use = purpose::dropout},
                  .draws = draws(),
                  .when_run = now};
    measure(taken_.data(), pass, now, tape.gradient(network_.output));
    tape.backward(pass, network_.output);
    const auto gradient = tape.parameter_gradients();
    ops::cuda::clipped_adamw op{.step = adamw_numbers<float>(params_, 0), .when_run = &now_.data()->numbers};
    op.step.weight = tape.parameter_memory().data();
    op.step.gradient = gradient.data();
    op.step.first = first_.data();
    op.step.second = second_.data();
    op.step.average = average_.data();
    op.step.count = static_cast<index>(gradient.size());
    if (params_.clip > 0) {
      on_.run(ops::sum_of_squares<float>{gradient.data(), op.step.count, squares_.data() + 1, squares_.data()});
      op.square = squares_.data();
      op.clip = static_cast<float>(params_.clip);
    }
    on_.run(op);
  }
  /// The features of the levels at place_.
  void describe_levels() {
    on_.run(ops::embedding_forward<float>{all_features_.data(), place_.data(), features_.data(), level_count_,
                                          network_.tape.width(network_.features)});
  }
  /// The losses of clean rows, damaged at the levels of row_place_, and the gradient where one is wanted.
  void measure(const float* rows, const nn::pass& pass, const noise_key* now, float* gradient) {
    auto& tape = network_.tape;
    corruption_.corrupt(on_, {.x = rows,
                              .damaged = damaged_.data(),
                              .target = target_.data(),
                              .rows = pass.rows,
                              .row_size = row_size_,
                              .alpha = alpha_.data(),
                              .sigma = sigma_.data(),
                              .clean = clean_.data(),
                              .noise = noise_.data(),
                              .level = row_place_.data(),
                              .key = {.seed = seed_, .use = purpose::corruption},
                              .draws = draws(),
                              .sample = model_.sample_shape().sample,
                              .when_run = now});
    tape.forward_levels(pass);
    tape.forward_rows(pass);
    if constexpr (learns_time)
      objective_.measure(
          on_, time_batch<float>{tape.data(network_.output), share_.data(), sigma_.data(), row_place_.data(),
                                 row_loss_.data(), gradient, pass.rows, tape.width(network_.output), row_size_});
    else
      objective_.measure(on_, {tape.data(network_.output), target_.data(), weight_.data(), row_place_.data(),
                               row_loss_.data(), gradient, pass.rows, row_size_});
  }
  [[nodiscard]] const std::uint32_t* draws() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(taken_row_.data());
  }
  /// Of the last losses; waits for them.
  [[nodiscard]] double mean_of(index rows) const {
    std::vector<double> of_row(static_cast<std::size_t>(rows));
    on_.download(row_loss_.data(), std::span{of_row});
    return std::accumulate(of_row.begin(), of_row.end(), 0.0) / static_cast<double>(rows);
  }

  Model& model_;
  Corruption corruption_;
  Objective objective_;
  training_params params_;
  std::uint64_t seed_;
  cuda_engine on_;
  mutable recorded network_;
  index count_, row_size_, total_, validation_count_, batch_ = 0, level_count_ = 0, step_ = 0, steps_here_ = 0,
                                                      order_epoch_ = -1;
  device_buffer<float> rows_, validation_, taken_, damaged_, target_, alpha_, sigma_, clean_, noise_, weight_,
      all_features_, features_, first_, second_, average_, kept_;
  device_buffer<std::int32_t> taken_row_, place_, row_place_, row_level_, order_;
  device_buffer<double> row_loss_, squares_, share_;
  device_buffer<detail::training_now> now_;
  double loss_before_ = 0;  ///< that of the restored state
  device::graph graph_;
};

namespace detail {

template <class Model, class Prediction, class Corruption, class Objective>
requires remote_engine<typename Model::engine_type> && std::same_as<typename Model::engine_type, cuda_engine>
struct trainer_of<Model, Prediction, Corruption, Objective> {
  using type = resident_trainer<Model, Prediction, Corruption, Objective>;
};

}  // namespace detail

}  // namespace anodiff
