// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/engines/convolution.cuh>
#include <anodiff/engines/matrix_product.cuh>
#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/adamw.cuh>
#include <anodiff/ops/affine.cuh>
#include <anodiff/ops/attention.cuh>
#include <anodiff/ops/blur.cuh>
#include <anodiff/ops/combine.cuh>
#include <anodiff/ops/concat.cuh>
#include <anodiff/ops/conv2d.cuh>
#include <anodiff/ops/dropout.cuh>
#include <anodiff/ops/dynamic_threshold.cuh>
#include <anodiff/ops/embedding.cuh>
#include <anodiff/ops/fir_resample.cuh>
#include <anodiff/ops/group_norm.cuh>
#include <anodiff/ops/kernel_average.cuh>
#include <anodiff/ops/layer_norm.cuh>
#include <anodiff/ops/mlp_cluster.cuh>
#include <anodiff/ops/mlp_loop.cuh>
#include <anodiff/ops/nearest.cuh>
#include <anodiff/ops/pixel_sums.cuh>
#include <anodiff/ops/resample.cuh>
#include <anodiff/ops/row_distance.cuh>
#include <anodiff/ops/scale_shift.cuh>
#include <anodiff/ops/scaled_sum.cuh>
#include <anodiff/ops/squared_error.cuh>
#include <anodiff/ops/time_features.cuh>
#include <anodiff/ops/time_loss.cuh>
#include <anodiff/ops/top_k.cuh>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace anodiff {

/// Memory of the GPU, given back to its pool in the order of the stream.
template <class T>
class device_buffer {
 public:
  device_buffer() = default;
  device_buffer(index count, std::shared_ptr<const device::owned_stream> on) : on_{std::move(on)}, count_{count} {
    if (count > 0)
      data_ = static_cast<T*>(device::allocate_bytes(static_cast<std::size_t>(count) * sizeof(T), on_->get()));
  }
  ~device_buffer() {
    if (data_ != nullptr) device::release_bytes(data_, on_->get());
  }
  device_buffer(device_buffer&& other) noexcept
      : on_{std::move(other.on_)}, data_{std::exchange(other.data_, nullptr)}, count_{std::exchange(other.count_, 0)} {}
  device_buffer& operator=(device_buffer&& other) noexcept {
    std::swap(on_, other.on_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] index size() const noexcept { return count_; }
  [[nodiscard]] operator std::span<T>() const noexcept {  // NOLINT: as a vector's
    return {data_, static_cast<std::size_t>(count_)};
  }

 private:
  std::shared_ptr<const device::owned_stream> on_;
  T* data_ = nullptr;
  index count_ = 0;
};

/// Memory of the host that copies to and from the GPU reach directly, without waiting: see cuda_engine::send.
template <class T>
class pinned_buffer {
 public:
  pinned_buffer() = default;
  explicit pinned_buffer(index count)
      : data_{static_cast<T*>(device::allocate_pinned(static_cast<std::size_t>(count) * sizeof(T)))}, count_{count} {}
  ~pinned_buffer() {
    if (data_ != nullptr) device::release_pinned(data_);
  }
  pinned_buffer(pinned_buffer&& other) noexcept
      : data_{std::exchange(other.data_, nullptr)}, count_{std::exchange(other.count_, 0)} {}
  pinned_buffer& operator=(pinned_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] index size() const noexcept { return count_; }
  [[nodiscard]] std::span<T> values() const noexcept { return {data_, static_cast<std::size_t>(count_)}; }

 private:
  T* data_ = nullptr;
  index count_ = 0;
};

/// Runs operations on an NVIDIA GPU, one after the other on a stream of its own; the pointers of an operation are
/// device memory. A cheap handle: copies share the stream. Memory comes from the device's pool, which keeps what is
/// given back; inside a loop nothing should be asked for. Two engines work side by side, each for a thread of its own.
class cuda_engine {
 public:
  using real = float;
  using buffer = device_buffer<float>;
  /// The matrix of a dense layer (in, out) where it lies, in device memory.
  struct weight {
    const float* values = nullptr;
  };
  static constexpr std::string_view name = "cuda";

  /// Throws cuda_error, in one sentence, where there is no GPU or no driver.
  cuda_engine() {
    device::require_gpu();
    device::keep_freed_memory();
    on_ = std::make_shared<const device::owned_stream>();
  }

  /// Says who multiplies the matrices of dense layers; cuda_engine_with_cublas() has said it.
  void multiply_by(std::shared_ptr<matrix_product> products) { products_ = std::move(products); }

  /// Says who convolves; without somebody, and where they have no way, pictures are unfolded and multiplied.
  void convolve_by(std::shared_ptr<convolution> convolutions) { convolutions_ = std::move(convolutions); }

  [[nodiscard]] device::stream stream() const noexcept { return on_->get(); }
  template <class Operation>
  void run(const Operation& operation) const {
    ops::cuda::run(operation, on_->get());
  }
  /// Throws invalid_argument where nobody multiplies, here and below.
  void run(const ops::linear_forward<real>& operation) const { ops::cuda::run(operation, products(), on_->get()); }
  void run(const ops::linear_forward<real, const weight*>& op) const { run(ops::with_weight(op, op.weight->values)); }
  void run(const ops::linear_backward<real>& operation) const { ops::cuda::run(operation, products(), on_->get()); }
  void run(const ops::conv2d_forward<real>& operation) const { convolve(operation); }
  void run(const ops::conv2d_forward<real, const weight*>& op) const { run(ops::with_weight(op, op.weight->values)); }
  void run(const ops::conv2d_backward<real>& operation) const { convolve(operation); }
  /// Elements of working memory that run(operation) needs, in its member `scratch`.
  template <class Operation>
  [[nodiscard]] index scratch(const Operation& operation) const noexcept {
    if constexpr (requires { ops::cuda::scratch(operation); })
      return ops::cuda::scratch(operation);
    else
      return 0;
  }
  /// None where somebody convolves; what they have no way for is unfolded in memory that the engine keeps for all.
  template <class Weight>
  [[nodiscard]] index scratch(const ops::conv2d_forward<real, Weight>& operation) const noexcept {
    return convolutions_ == nullptr ? ops::cuda::scratch(operation) : 0;
  }
  [[nodiscard]] index scratch(const ops::conv2d_backward<real>& operation) const noexcept {
    return convolutions_ == nullptr ? ops::cuda::scratch(operation) : 0;
  }
  /// Elements that the engine, and its copies, keep for such convolutions.
  [[nodiscard]] index unfolding_memory() const noexcept {
    index sum = 0;
    for (const auto& memory : *unfolded_) sum += memory.size();
    return sum;
  }
  /// Waits until all that was run has ended. Throws cuda_error for what failed on the way.
  void wait() const { device::wait(on_->get()); }

  /// The values, in device memory, are read where they lie.
  [[nodiscard]] weight prepare_weight(const real* values, index, index) const noexcept { return {values}; }
  /// Throws invalid_argument: no operation of this engine reads a transposed weight yet.
  [[nodiscard]] weight prepare_transposed(const real*, index, index) const {
    detail::fail<invalid_argument>(
        {"cuda_engine: a weight stored as (out, in) must be transposed before it comes here"});
  }
  void refresh_weight(weight& prepared, const real* values) const noexcept { prepared.values = values; }
  [[nodiscard]] weight prepare_convolution(const ops::conv2d_shape&, const real* values) const noexcept {
    return {values};
  }
  void refresh_convolution(weight& prepared, const ops::conv2d_shape&, const real* values) const noexcept {
    prepared.values = values;
  }

  template <class T = real>
  [[nodiscard]] device_buffer<T> allocate(index count) const {
    return {count, on_};
  }
  template <class T>
  [[nodiscard]] device_buffer<T> upload(std::span<const T> from) const {
    device_buffer<T> made{static_cast<index>(from.size()), on_};
    upload(from, made.data());
    return made;
  }
  template <class T>
  [[nodiscard]] device_buffer<T> upload(const std::vector<T>& from) const {
    return upload(std::span<const T>{from});
  }
  template <class T>
  void upload(std::span<const T> from, T* to) const {
    if (!from.empty()) device::upload(to, from.data(), from.size_bytes(), on_->get());
  }
  /// The first to.size() elements, once all that was run before has ended.
  template <class T>
  void download(const T* from, std::span<T> to) const {
    if (!to.empty()) device::download(to.data(), from, to.size_bytes(), on_->get());
  }
  /// Copies without waiting, in the order of the stream: `to` and `from` are device memory, or pinned memory that stays
  /// as it is until wait().
  template <class T>
  void send(const T* from, T* to, index count) const {
    if (count > 0) device::copy(to, from, static_cast<std::size_t>(count) * sizeof(T), on_->get());
  }
  /// What is run from now on waits for all that `other` has been given so far, without a stop of the host.
  void follow(const cuda_engine& other) const {
    device::event reached;
    reached.record(other.stream());
    reached.let_wait(stream());
  }

 private:
  [[nodiscard]] matrix_product& products() const {
    check(products_ != nullptr,
          "cuda_engine: a dense layer needs somebody who multiplies: make the engine by cuda_engine_with_cublas()");
    return *products_;
  }

  template <class Convolution>
  void convolve(Convolution operation) const {
    if (convolutions_ != nullptr) {
      if (convolutions_->run(operation, on_->get())) return;
      operation.scratch = unfolding_area(ops::cuda::scratch(operation));
    }
    ops::cuda::run(operation, products(), on_->get());
  }
  /// What was given out before stays, for graphs may read it.
  [[nodiscard]] float* unfolding_area(index size) const {
    if (size == 0) return nullptr;
    if (unfolded_->empty() || unfolded_->back().size() < size) unfolded_->push_back(allocate(size));
    return unfolded_->back().data();
  }

  std::shared_ptr<const device::owned_stream> on_;
  std::shared_ptr<matrix_product> products_;
  std::shared_ptr<convolution> convolutions_;
  std::shared_ptr<std::vector<device_buffer<float>>> unfolded_ = std::make_shared<std::vector<device_buffer<float>>>();
};
static_assert(engine<cuda_engine>);

}  // namespace anodiff
