// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/sampler.hpp>
#include <anodiff/engines/cuda.cuh>
#include <anodiff/models/mlp.hpp>

namespace anodiff::models {

/// Why an mlp's whole reverse process cannot be one launch, in words; empty where it can.
[[nodiscard]] inline std::string why_not_one_launch(const mlp_params& p, index row_size,
                                                    std::span<const stage> program) {
  const auto widest = ops::cuda::mlp_loop_widest;
  if (p.width > widest || row_size > widest)
    return concat("a network or rows of more than ", widest, " columns do not fit on the chip");
  if (p.outputs != 1) return "the network learns a variance, which is not drawn with on the chip";
  for (const auto& s : program)
    if (s.saved_weight != 0 || s.past_weight != std::array<double, stage::past_slots>{})
      return "the sampler reads earlier estimates, which are not kept on the chip";
  return {};
}

/// Rows that an H100 takes through clusters sooner than through mlp_loop: six times the 16 clusters that run at once.
inline constexpr index mlp_few_rows = index{6} * 16 * ops::cuda::mlp_cluster_rows;

/// Why an mlp's reverse process of so many rows does not run on clusters of blocks, which keep its weights, in words;
/// empty where it does. Whether the device has clusters is another matter.
[[nodiscard]] inline std::string why_no_clusters(const mlp_params& p, index row_size, index rows) {
  constexpr std::size_t most = 227 << 10;
  const auto needed = ops::cuda::mlp_cluster_bytes(row_size, p.width, p.layers);
  if (rows > mlp_few_rows) return concat("calls of more than ", mlp_few_rows, " rows fill the card without clusters");
  if (needed > most)
    return concat("an eighth of the network needs ", needed, " bytes of a block's shared memory, of ", most);
  return {};
}

/// A trained mlp on the GPU with everything that depends on the noise level alone worked out. Its weights and
/// activations are bfloat16, its sums float: an estimate differs from the float network's by about 1 % of its size.
class mlp_on_gpu {
 public:
  /// usual_rows: of most calls, which chooses the kernel once for all of them, so that a row's bits depend on no batch;
  /// few (at most mlp_few_rows) want the time of one call, many want rows a second. Throws invalid_argument for a
  /// network that does not fit on the chip, cuda_error without a GPU.
  template <engine Engine>
  mlp_on_gpu(const mlp<Engine>& model, std::span<const noise_level> levels, cuda_engine on = cuda_engine{},
             index usual_rows = mlp_few_rows + 1)
      : on_{std::move(on)} {
    const auto& p = model.parameters();
    const auto& store = model.store();
    const index d = model.sample_shape().size();
    const auto reason = why_not_one_launch(p, d, {});
    check(reason.empty(), "mlp_on_gpu: ", reason);
    const auto values = [&](const std::string& name) {
      const nn::parameter* found = store.find(name);
      check(found != nullptr, "mlp_on_gpu: the network has no parameter '", name, "'");
      const auto* from = store.at(*found);
      return std::vector<float>(from, from + found->count());
    };
    const auto columns = static_cast<std::size_t>(ops::cuda::mlp_columns(p.width));
    const auto count = static_cast<index>(levels.size());
    std::vector<typename Engine::real> features(static_cast<std::size_t>(count * p.time_features));
    std::vector<double> times;
    for (const auto& level : levels) times.push_back(level.time);
    model.describe(times, features.data());
    const auto dense = [&](const std::vector<float>& x, const std::string& name, index in, ops::activation kind) {
      std::vector<float> y(static_cast<std::size_t>(count * p.width));
      const auto w = values(name + ".weight"), b = values(name + ".bias");
      ops::linear_forward<float> op{};
      op.x = x.data(), op.weight = w.data(), op.bias = b.data(), op.y = y.data();
      op.rows = count, op.in = in, op.out = p.width, op.kind = kind;
      ops::reference::run(op);
      return y;
    };
    const auto hidden = dense({features.begin(), features.end()}, "time.0", p.time_features, ops::activation::silu);
    const auto time = dense(hidden, "time.2", p.width, ops::activation::identity);
    op_.rows = op_.count = 1;
    op_.row_size = d;
    op_.width = p.width;
    op_.layers = p.layers;
    op_.levels = count;
    why_ = why_no_clusters(p, d, usual_rows);
    if (why_.empty() && !ops::cuda::runs_in_clusters(op_))
      why_ = "the device, or what this program was compiled for, has no clusters of blocks";
    std::vector<std::uint32_t> packed;
    std::vector<float> table;
    const auto add_layer = [&](const std::vector<float>& weight, index in, index out) {
      if (in_clusters())
        ops::cuda::pack_cluster_weights(weight.data(), in, out, packed);
      else
        ops::cuda::pack_mlp_weights(weight.data(), in, out, packed);
    };
    for (index i = 0; i < p.layers; ++i) {
      auto own = values(concat("hidden.", i, ".bias"));
      const auto weight = values(concat("hidden.", i, ".weight"));
      if (i > 0) {
        add_layer(weight, p.width, p.width);
      } else {  // with the projection before it: (x W + b) W' + b' = x (W W') + (b W' + b')
        const auto in = values("in.weight"), in_bias = values("in.bias");
        add_layer(product_of(in, weight, d, p.width, {}), d, p.width);
        own = product_of(in_bias, weight, 1, p.width, own);
      }
      const auto rows = dense(time, concat("project.", i), p.width, ops::activation::identity);
      for (index level = 0; level < count; ++level) {
        std::transform(own.begin(), own.end(), rows.begin() + level * p.width, std::back_inserter(table), std::plus{});
        table.resize(table.size() + columns - own.size());
      }
    }
    add_layer(values("out.weight"), p.width, d);
    weights_ = on_.upload(packed);
    bias_ = on_.upload(values("out.bias"));
    table_ = on_.upload(table);
    estimate_ = on_.upload(std::vector<ops::cuda::mlp_step>{{.level = 0, .fold = {0, 1, 0}, .wx = 0, .wc = 1}});
    op_.weights = weights_.data();
    op_.bias = bias_.data();
    op_.table = table_.data();
    op_.steps = estimate_.data();
  }

  [[nodiscard]] const cuda_engine& engine() const noexcept { return on_; }
  /// Whether clusters of blocks keep the weights between steps, and if not, why, in words.
  [[nodiscard]] bool in_clusters() const noexcept { return why_.empty(); }
  [[nodiscard]] const std::string& why_not_in_clusters() const noexcept { return why_; }

  /// out (rows, d) = F of the rows of x (rows, d), each at its own level; all in device memory.
  void output(const float* x, const std::int32_t* level, index rows, float* out) const {
    auto op = op_;
    op.x = x;
    op.y = out;
    op.level = level;
    op.rows = rows;
    launch(op);
  }

  /// Prepares run() for a program whose stage i stands at level i of this network. Throws invalid_argument for a
  /// program that needs more than the chip keeps.
  template <prediction Prediction>
  requires(!scales_input<Prediction>) void plan(const Prediction& prediction, std::span<const stage> program,
                                                double limit = 0) {
    const auto reason = why_not_one_launch({}, op_.row_size, program);
    check(reason.empty(), "mlp_on_gpu: ", reason);
    check(static_cast<index>(program.size()) <= op_.levels, "mlp_on_gpu: a program of ", program.size(),
          " stages needs as many levels, got ", op_.levels);
    std::vector<ops::cuda::mlp_step> steps;
    for (std::size_t i = 0; i < program.size(); ++i) {
      const auto& s = program[i];
      const mixture fold = prediction.fold(s.at);
      steps.push_back(
          {.level = static_cast<std::int32_t>(i),
           .fold = {static_cast<float>(fold.first), static_cast<float>(fold.second), static_cast<float>(limit)},
           .wx = static_cast<float>(s.x_weight),
           .wc = static_cast<float>(s.clean_weight),
           .wz = static_cast<float>(s.noise_weight),
           .noise_step = static_cast<std::uint32_t>(i)});
    }
    steps_ = on_.upload(steps);
  }
  /// x (rows, d), in device memory, goes from the program's first level to its last in one launch; stage i draws noise
  /// from key with step i.
  void run(float* x, index rows, const noise_key& key) const {
    check(steps_.size() > 0, "mlp_on_gpu: plan() must come before run()");
    auto op = op_;
    op.x = op.y = x;
    op.rows = rows;
    op.steps = steps_.data();
    op.count = steps_.size();
    op.noise = {key};
    launch(op);
  }

 private:
  /// a (rows, n) times b (n, n), summed in double, plus `more` (n) where given.
  [[nodiscard]] static std::vector<float> product_of(const std::vector<float>& a, const std::vector<float>& b,
                                                     index rows, index n, const std::vector<float>& more) {
    std::vector<float> out;
    std::vector<double> sum(static_cast<std::size_t>(n));
    for (index i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] = more.empty() ? 0 : static_cast<double>(more[j]);
      for (index k = 0; k < n; ++k) {
        const auto x = static_cast<double>(a[static_cast<std::size_t>(i * n + k)]);
        for (std::size_t j = 0; j < sum.size(); ++j)
          sum[j] += x * static_cast<double>(b[static_cast<std::size_t>(k * n) + j]);
      }
      for (const double s : sum) out.push_back(static_cast<float>(s));
    }
    return out;
  }
  void launch(const ops::cuda::mlp_loop& op) const {
    if (in_clusters())
      on_.run(ops::cuda::mlp_cluster{op});
    else
      on_.run(op);
  }

  cuda_engine on_;
  std::string why_;
  device_buffer<std::uint32_t> weights_;
  device_buffer<float> bias_, table_;
  device_buffer<ops::cuda::mlp_step> estimate_, steps_;
  ops::cuda::mlp_loop op_{};
};

}  // namespace anodiff::models
