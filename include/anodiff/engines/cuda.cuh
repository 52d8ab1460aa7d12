// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/adamw.cuh>
#include <anodiff/ops/attention.cuh>
#include <anodiff/ops/blur.cuh>
#include <anodiff/ops/combine.cuh>
#include <anodiff/ops/group_norm.cuh>
#include <anodiff/ops/kernel_average.cuh>
#include <anodiff/ops/layer_norm.cuh>
#include <anodiff/ops/linear.cuh>
#include <anodiff/ops/mlp_loop.cuh>
#include <anodiff/ops/resample.cuh>
#include <anodiff/ops/row_distance.cuh>
#include <anodiff/ops/time_features.cuh>
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

 private:
  std::shared_ptr<const device::owned_stream> on_;
  T* data_ = nullptr;
  index count_ = 0;
};

/// Runs operations on an NVIDIA GPU, one after the other on a stream of its own; the pointers of an operation are
/// device memory. A cheap handle: copies share the stream. Memory comes from the device's pool, which keeps what is
/// given back; inside a loop nothing should be asked for.
class cuda_engine {
 public:
  using real = float;
  static constexpr std::string_view name = "cuda";

  /// Throws cuda_error, in one sentence, where there is no GPU or no driver.
  cuda_engine() {
    device::require_gpu();
    device::keep_freed_memory();
    on_ = std::make_shared<const device::owned_stream>();
  }

  [[nodiscard]] device::stream stream() const noexcept { return on_->get(); }
  template <class Operation>
  void run(const Operation& operation) const {
    ops::cuda::run(operation, on_->get());
  }
  /// Waits until all that was run has ended. Throws cuda_error for what failed on the way.
  void wait() const { device::wait(on_->get()); }

  template <class T = real>
  [[nodiscard]] device_buffer<T> allocate(index count) const {
    return {count, on_};
  }
  template <class T>
  [[nodiscard]] device_buffer<T> upload(std::span<const T> from) const {
    device_buffer<T> made{static_cast<index>(from.size()), on_};
    if (!from.empty()) device::upload(made.data(), from.data(), from.size_bytes(), on_->get());
    return made;
  }
  template <class T>
  [[nodiscard]] device_buffer<T> upload(const std::vector<T>& from) const {
    return upload(std::span<const T>{from});
  }
  /// The first to.size() elements, once all that was run before has ended.
  template <class T>
  void download(const T* from, std::span<T> to) const {
    if (!to.empty()) device::download(to.data(), from, to.size_bytes(), on_->get());
  }

 private:
  std::shared_ptr<const device::owned_stream> on_;
};

}  // namespace anodiff
