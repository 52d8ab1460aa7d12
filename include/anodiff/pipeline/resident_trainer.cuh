// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/engines/cuda.cuh>
#include <anodiff/pipeline/minibatch.hpp>

namespace anodiff {

namespace detail {

/// The levels of a training step: place[i] in the schedule for each of `count`, and each row's.
struct step_levels {
  std::int32_t *place, *row_place;  ///< (count), (rows)
  noise_key key;
  index count, total, rows;
};
template <class T>
__global__ void step_levels_kernel(const T op) {
  const index i = index{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= op.rows) return;
  const auto level = static_cast<std::uint32_t>(i % op.count), which = level % 4;
  const auto words = ops::cuda::detail::words_of(op.key, level / 4);
  const std::uint32_t word = which == 0 ? words[0] : which == 1 ? words[1] : which == 2 ? words[2] : words[3];
  const auto place = static_cast<std::int32_t>(drawn_level((word + 0.5) * 0x1p-32, level, op.count, op.total));
  op.row_place[i] = place;
  if (i < op.count) op.place[i] = place;
}

}  // namespace detail

/// Trains a network whose training rows lie on the GPU, with the batches, levels and noise of `trainer`: a step asks
/// nothing of the host and waits for nothing. It neither validates nor stops by itself.
template <trainable Model, prediction Prediction, class Corruption, class Objective>
class resident_trainer {
 public:
  using recorded = typename Model::recorded;
  static_assert(corruption_on<Corruption, cuda_engine> && objective_on<Objective, cuda_engine>,
                "resident_trainer: the corruption or the objective has no form for the GPU");
  static_assert(!scales_input<Prediction>,
                "resident_trainer: a prediction that scales the input has no form for the GPU");

  /// rows (n, d) in host memory; the model is built for them. Throws invalid_argument for no rows, memory_error where
  /// they do not fit.
  resident_trainer(Model& model, const Prediction& prediction, const Corruption& corruption, const Objective& objective,
                   std::span<const noise_level> levels, const training_params& params, tensor_view<const float, 2> rows,
                   std::uint64_t seed)
      : model_{model},
        corruption_{corruption},
        objective_{objective},
        params_{params},
        seed_{seed},
        on_{model.engine()},
        network_{model.record(nn::gradients::all)},
        count_{rows.rows()},
        row_size_{rows.row_size()},
        total_{static_cast<index>(levels.size())} {
    params.verify();
    check(count_ >= 1, "resident_trainer: needs at least one training row, got ", count_);
    batch_ = std::min(params.batch, count_);
    level_count_ = params.levels == 0 ? batch_ : std::min(params.levels, batch_);
    rows_ = on_.upload(rows.flat());
    upload_schedule(prediction, levels);
    auto& tape = network_.tape;
    tape.plan(batch_, level_count_);
    for (auto* memory : {&taken_, &damaged_, &target_}) *memory = on_.allocate(batch_ * row_size_);
    features_ = on_.allocate(level_count_ * tape.width(network_.features));
    place_ = on_.template allocate<std::int32_t>(level_count_);
    row_place_ = on_.template allocate<std::int32_t>(batch_);
    order_ = on_.template allocate<std::int32_t>(count_);
    row_loss_ = on_.template allocate<double>(batch_);
    std::vector<std::int32_t> in_turn;
    for (index i = 0; i < batch_; ++i) in_turn.push_back(static_cast<std::int32_t>(i % level_count_));
    row_level_ = on_.upload(in_turn);
    const auto weights = tape.parameter_memory();
    const auto parameters = static_cast<index>(weights.size());
    for (auto* moments : {&first_, &second_, &average_}) *moments = on_.allocate(parameters);
    on_.run(ops::fill<float>{first_.data(), parameters, 0});
    on_.run(ops::fill<float>{second_.data(), parameters, 0});
    on_.send(weights.data(), average_.data(), parameters);
    squares_ = on_.template allocate<double>(parameters / ops::sum_block + 2);
    tape.bind(network_.x, damaged_.data());
    tape.bind(network_.features, features_.data());
  }

  [[nodiscard]] index steps_done() const noexcept { return step_; }

  /// One optimiser step, put on the engine's stream.
  void step() {
    accumulate();
    auto& tape = network_.tape;
    const auto gradient = tape.parameter_gradients();
    ops::cuda::clipped_adamw op{.step = adamw_numbers<float>(params_, step_++)};
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
  /// Mean loss of the last step's rows; waits for it.
  [[nodiscard]] double loss() const {
    std::vector<double> of_row(static_cast<std::size_t>(batch_));
    on_.download(row_loss_.data(), std::span{of_row});
    return std::accumulate(of_row.begin(), of_row.end(), 0.0) / static_cast<double>(batch_);
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
    std::vector<double> times;
    for (const auto& level : levels) {
      const mixture target = prediction.target(level);
      alpha.push_back(static_cast<float>(level.alpha));
      sigma.push_back(static_cast<float>(level.sigma));
      clean.push_back(static_cast<float>(target.first));
      noise.push_back(static_cast<float>(target.second));
      weight.push_back(static_cast<float>(objective_.weigh(level, prediction.fold(level).second)));
      times.push_back(level.time);
    }
    alpha_ = on_.upload(alpha);
    sigma_ = on_.upload(sigma);
    clean_ = on_.upload(clean);
    noise_ = on_.upload(noise);
    weight_ = on_.upload(weight);
    all_features_ = on_.allocate(total_ * network_.tape.width(network_.features));
    model_.describe(times, all_features_.data());
  }
  /// The step's batch, its losses, and its gradient on top of what is there.
  void accumulate() {
    const index per_epoch = std::max<index>(1, count_ / batch_), epoch = step_ / per_epoch;
    if (epoch != order_epoch_) {
      std::vector<std::int32_t> order(static_cast<std::size_t>(count_));
      shuffle_epoch(std::span{order}, seed_, epoch);
      on_.upload(std::span<const std::int32_t>{order}, order_.data());
      order_epoch_ = epoch;
    }
    const std::int32_t* const here = order_.data() + step_ % per_epoch * batch_;
    const auto* const draws = reinterpret_cast<const std::uint32_t*>(here);
    on_.run(ops::embedding_forward<float>{rows_.data(), here, taken_.data(), batch_, row_size_});
    const detail::step_levels levels{
        .place = place_.data(),
        .row_place = row_place_.data(),
        .key = {.seed = seed_, .step = static_cast<std::uint32_t>(step_), .use = purpose::level},
        .count = level_count_,
        .total = total_,
        .rows = batch_};
    constexpr unsigned block = 128;
    device::launch(on_.stream(), {device::blocks_for(batch_, block), block},
                   &detail::step_levels_kernel<detail::step_levels>, levels);
    auto& tape = network_.tape;
    on_.run(ops::embedding_forward<float>{all_features_.data(), place_.data(), features_.data(), level_count_,
                                          tape.width(network_.features)});
    const noise_key key{.seed = seed_, .step = static_cast<std::uint32_t>(step_), .use = purpose::corruption};
    corruption_.corrupt(
        on_, {taken_.data(), damaged_.data(), target_.data(), batch_, row_size_, alpha_.data(), sigma_.data(),
              clean_.data(), noise_.data(), row_place_.data(), key, draws, model_.sample_shape().sample});
    nn::pass pass{.rows = batch_,
                  .levels = level_count_,
                  .level = row_level_.data(),
                  .training = true,
                  .noise = key,
                  .draws = draws};
    pass.noise.use = purpose::dropout;
    tape.forward_levels(pass);
    tape.forward_rows(pass);
    objective_.measure(on_, {tape.data(network_.output), target_.data(), weight_.data(), row_place_.data(),
                             row_loss_.data(), tape.gradient(network_.output), batch_, row_size_});
    tape.backward(pass, network_.output);
  }

  Model& model_;
  Corruption corruption_;
  Objective objective_;
  training_params params_;
  std::uint64_t seed_;
  cuda_engine on_;
  mutable recorded network_;
  index count_, row_size_, total_, batch_ = 0, level_count_ = 0, step_ = 0, order_epoch_ = -1;
  device_buffer<float> rows_, taken_, damaged_, target_, alpha_, sigma_, clean_, noise_, weight_, all_features_,
      features_, first_, second_, average_;
  device_buffer<std::int32_t> place_, row_place_, row_level_, order_;
  device_buffer<double> row_loss_, squares_;
};

}  // namespace anodiff
