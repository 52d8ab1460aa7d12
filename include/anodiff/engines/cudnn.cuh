// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cublas.cuh>
#include <anodiff/engines/cudnn_graph.cuh>
#include <anodiff/ops/transposed.cuh>

namespace anodiff {

/// What cudnn_convolution may do.
struct cudnn_params {
  bool reduced = false;  ///< tensor cores for products in float, whose factors they round to 10 bits (TF32)
  std::size_t workspace = std::size_t{64} << 20;  ///< bytes, asked for once; plans that need more are not taken
};

/// Convolutions by cuDNN 9, channels side by side; link cudnn. A plan is made at a shape's first call, the first that
/// cuDNN proposes among those that always give the same bits; bias and residual go into its kernel where there is such
/// a plan, and into one pass behind it elsewhere. Weights are transposed to the order that cuDNN's kernels want at
/// every call, since training moves them. Left to others: pointwise convolutions, which are dense layers, and shapes
/// whose pixels must not depend on their place. Not to be used by two threads at once.
class cudnn_convolution final : public convolution {
 public:
  /// Throws cuda_error where cuDNN cannot start, memory_error where its workspace does not fit.
  explicit cudnn_convolution(device::stream on, cudnn_params params = {}) : params_{params}, on_{on} {
    device::require_gpu();
    cudnnHandle_t made = nullptr;
    cudnn::check(cudnnCreate(&made), "cudnnCreate");
    handle_.reset(made);
    cudnn::check(cudnnSetStream(made, on), "cudnnSetStream");
    workspace_ = device_memory{params.workspace, on};
  }

  [[nodiscard]] bool run(const ops::conv2d_forward<float>& op, device::stream on) override {
    const auto& s = op.shape;
    if (op.n <= 0 || s.out_pixels() <= 0) return true;
    if (!takes(s) || !device::aligned(op.x) || !device::aligned(op.y) || !device::aligned(op.bias) ||
        !device::aligned(op.residual))
      return false;
    const bool behind = op.bias != nullptr || op.table != nullptr || op.residual != nullptr;
    cudnn::request wanted{.shape = s, .n = op.n};
    plan* p = nullptr;
    if (behind && op.table == nullptr) {
      wanted.bias = op.bias != nullptr;
      wanted.residual = op.residual != nullptr;
      p = plan_for(wanted);
    }
    const bool fused = p != nullptr;
    if (!fused) {
      wanted.bias = wanted.residual = false;
      p = plan_for(wanted);
    }
    if (p == nullptr) return false;
    ops::cuda::run(ops::cuda::transposed<float>{op.weight, p->weight.values(), s.depth(), s.out}, on);
    execute(*p, {{cudnn::of_x, op.x},
                 {cudnn::of_weight, p->weight.values()},
                 {cudnn::of_y, op.y},
                 {cudnn::of_bias, op.bias},
                 {cudnn::of_residual, op.residual}});
    if (behind && !fused)
      ops::cuda::run(ops::cuda::linear_epilogue<float>{.z = op.y,
                                                       .bias = op.bias,
                                                       .table = op.table,
                                                       .level = op.table != nullptr ? op.level : nullptr,
                                                       .residual = op.residual,
                                                       .y = op.y,
                                                       .rows = op.n * s.out_pixels(),
                                                       .out = s.out,
                                                       .share = s.out_pixels()},
                     on);
    return true;
  }
  [[nodiscard]] bool run(const ops::conv2d_backward<float>& op, device::stream on) override {
    const auto& s = op.shape;
    if (op.n <= 0 || s.out_pixels() <= 0) return true;
    if (!takes(s) || !device::aligned(op.x) || !device::aligned(op.dy) || !device::aligned(op.dx)) return false;
    const auto wanted = [&](cudnn::product what) { return cudnn::request{.what = what, .shape = s, .n = op.n}; };
    plan *of_weight = nullptr, *of_x = nullptr;
    if (op.dweight != nullptr && (of_weight = plan_for(wanted(cudnn::product::gradient_of_weight))) == nullptr)
      return false;
    if (op.dx != nullptr && (of_x = plan_for(wanted(cudnn::product::gradient_of_x))) == nullptr) return false;
    if (op.dbias != nullptr)
      ops::cuda::run(ops::cuda::add_columns<float>{op.dy, op.dbias, op.n * s.out_pixels(), s.out}, on);
    if (of_weight != nullptr) {
      execute(*of_weight, {{cudnn::of_x, op.x}, {cudnn::of_weight, of_weight->weight.values()}, {cudnn::of_y, op.dy}});
      ops::cuda::run(ops::cuda::transposed<float>{of_weight->weight.values(), op.dweight, s.out, s.depth(), true}, on);
    }
    if (of_x == nullptr) return true;
    const index count = op.n * s.height * s.width * s.in;
    if (op.accumulate && of_x->sum.values() == nullptr)
      of_x->sum = device_memory{static_cast<std::size_t>(count) * sizeof(float), on_};
    float* const dx = op.accumulate ? of_x->sum.values() : op.dx;
    ops::cuda::run(ops::cuda::transposed<float>{op.weight, of_x->weight.values(), s.depth(), s.out}, on);
    execute(*of_x, {{cudnn::of_x, dx}, {cudnn::of_weight, of_x->weight.values()}, {cudnn::of_y, op.dy}});
    if (op.accumulate) ops::cuda::run(ops::accumulate<float>{dx, op.dx, count, true}, on);
    return true;
  }

  /// Shapes planned so far, those without a plan among them.
  [[nodiscard]] std::size_t planned() const noexcept { return plans_.size(); }

 private:
  struct destroy {
    void operator()(cudnnHandle_t h) const noexcept { (void)cudnnDestroy(h); }
  };
  class device_memory {
   public:
    device_memory() = default;
    device_memory(std::size_t bytes, device::stream on) : data_{device::allocate_bytes(bytes, on)}, on_{on} {}
    ~device_memory() {
      if (data_ != nullptr) device::release_bytes(data_, on_);
    }
    device_memory(device_memory&& other) noexcept : data_{std::exchange(other.data_, nullptr)}, on_{other.on_} {}
    device_memory& operator=(device_memory&& other) noexcept {
      std::swap(data_, other.data_);
      std::swap(on_, other.on_);
      return *this;
    }
    [[nodiscard]] float* values() const noexcept { return static_cast<float*>(data_); }

   private:
    void* data_ = nullptr;
    device::stream on_ = nullptr;
  };
  struct plan {
    cudnn::request of;
    cudnn::descriptor run;      ///< without one cuDNN has none that may be taken
    device_memory weight, sum;  ///< (out, kernel, kernel, in); what a gradient adds to dx
  };
  struct binding {
    std::int64_t name;
    const void* at;
  };

  [[nodiscard]] static bool takes(const ops::conv2d_shape& s) noexcept {
    return !s.is_pointwise() && !s.same_everywhere;
  }
  [[nodiscard]] static bool same(const cudnn::request& a, const cudnn::request& b) noexcept {
    const auto &s = a.shape, &t = b.shape;
    return a.what == b.what && a.n == b.n && a.bias == b.bias && a.residual == b.residual && s.height == t.height &&
           s.width == t.width && s.in == t.in && s.out == t.out && s.kernel == t.kernel && s.stride == t.stride &&
           s.before == t.before && s.after == t.after;
  }

  void execute(const plan& p, std::initializer_list<binding> tensors) {
    std::vector<std::int64_t> names;
    std::vector<void*> places;
    for (const auto& t : tensors)
      if ((t.name != cudnn::of_bias || p.of.bias) && (t.name != cudnn::of_residual || p.of.residual)) {
        names.push_back(t.name);
        places.push_back(const_cast<void*>(t.at));
      }
    cudnn::descriptor pack{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, std::span<const std::int64_t>{names});
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, std::span<void* const>{places});
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {static_cast<void*>(workspace_.values())});
    pack.finalize();
    cudnn::check(cudnnBackendExecute(handle_.get(), p.run.get(), pack.get()), "cudnnBackendExecute");
  }

  /// Null where cuDNN has no plan that may be taken.
  [[nodiscard]] plan* plan_for(const cudnn::request& wanted) {
    for (auto& p : plans_)
      if (same(p->of, wanted)) return p->run.get() != nullptr ? p.get() : nullptr;
    auto& p = *plans_.emplace_back(std::make_unique<plan>());
    p.of = wanted;
    p.run = choose(wanted);
    if (p.run.get() == nullptr) return nullptr;
    const auto& s = wanted.shape;
    p.weight = device_memory{static_cast<std::size_t>(s.depth() * s.out) * sizeof(float), on_};
    return &p;
  }
  [[nodiscard]] cudnn::descriptor choose(const cudnn::request& wanted) {
    const auto operations = cudnn::operations(wanted);
    std::vector<cudnnBackendDescriptor_t> list;
    for (const auto& o : operations) list.push_back(o.get());
    cudnn::descriptor graph{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle_.get()});
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
              std::span<const cudnnBackendDescriptor_t>{list});
    if (!graph.finalizes()) return {};
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      cudnn::descriptor advice{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR};
      advice.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
      advice.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode});
      if (!advice.finalizes()) continue;
      for (const auto& config : advice.list(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
        if (!may_run(config)) continue;
        cudnn::descriptor made{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
        made.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle_.get()});
        made.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
        if (!made.finalizes()) continue;
        const auto bytes = made.values<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1);
        if (bytes.empty() || static_cast<std::size_t>(bytes[0]) > params_.workspace) continue;
        return made;
      }
    }
    return {};
  }
  /// Whether a configuration's kernels give the same bits every time and, unless it is wanted, round nothing on the
  /// way.
  [[nodiscard]] bool may_run(const cudnn::descriptor& config) const {
    const auto engines = config.list(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    if (engines.size() != 1) return false;
    for (const auto note : engines[0].values<cudnnBackendNumericalNote_t>(
             CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)) {
      if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
          note == CUDNN_NUMERICAL_NOTE_FFT)
        return false;
      if (!params_.reduced &&
          (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS))
        return false;
    }
    return true;
  }

  cudnn_params params_;
  device::stream on_;
  std::unique_ptr<std::remove_pointer_t<cudnnHandle_t>, destroy> handle_;
  device_memory workspace_;
  std::vector<std::unique_ptr<plan>> plans_;
};

/// An engine that multiplies by cuBLASLt and convolves by cuDNN: what a network for pictures on the GPU wants.
[[nodiscard]] inline cuda_engine cuda_engine_with_cudnn(cudnn_params params = {}) {
  auto on = cuda_engine_with_cublas();
  on.convolve_by(std::make_shared<cudnn_convolution>(on.stream(), params));
  return on;
}

}  // namespace anodiff
