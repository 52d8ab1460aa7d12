// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams, events and memory of <anodiff/core/device.cuh>, from the CUDA runtime; the host's stand-in is
// tests/support/cuda_runtime_shim.hpp.

#include <cuda_runtime.h>

#include <anodiff/core/check.hpp>
#include <cstdint>
#include <utility>

namespace anodiff {

/// A call of CUDA or of its libraries failed: what it said, and where.
class cuda_error : public error {
 public:
  using error::error;
};

namespace device {

/// Throws cuda_error unless a call of the CUDA runtime went well.
inline void check(cudaError_t code, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (code == cudaSuccess) [[likely]]
    return;
  if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice || code == cudaErrorStubLibrary)
    anodiff::detail::fail<cuda_error>({"cuda_engine: needs an NVIDIA GPU and its driver, got ", cudaGetErrorName(code),
                                       " (", cudaGetErrorString(code), ")"});
  anodiff::detail::fail<cuda_error>(
      {"CUDA: ", cudaGetErrorName(code), " (", cudaGetErrorString(code), ") at ", file, ":", line});
}

/// Throws cuda_error where there is no GPU to work on.
inline void require_gpu() {
  int count = 0;
  check(cudaGetDeviceCount(&count));
  if (count == 0) check(cudaErrorNoDevice);
}

using stream = cudaStream_t;

/// A stream of its own, which waits for no other.
class owned_stream {
 public:
  owned_stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~owned_stream() {
    if (stream_ != nullptr) (void)cudaStreamDestroy(stream_);
  }
  owned_stream(owned_stream&& other) noexcept : stream_{std::exchange(other.stream_, nullptr)} {}
  owned_stream& operator=(owned_stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  [[nodiscard]] stream get() const noexcept { return stream_; }

 private:
  stream stream_ = nullptr;
};

/// Work that was put on a stream while it was recorded, to be put there again as one piece (a CUDA graph).
class graph {
 public:
  graph() = default;
  /// Records what enqueue() puts on the stream, none of which runs now. It must neither wait nor allocate. Throws
  /// cuda_error where it did.
  template <class F>
  graph(stream on, F&& enqueue) {
    check(cudaStreamBeginCapture(on, cudaStreamCaptureModeThreadLocal));
    cudaGraph_t made = nullptr;
    try {
      enqueue();
    } catch (...) {
      (void)cudaStreamEndCapture(on, &made);
      if (made != nullptr) (void)cudaGraphDestroy(made);
      throw;
    }
    check(cudaStreamEndCapture(on, &made));
    auto code = cudaGraphGetNodes(made, nullptr, &size_);
    if (code == cudaSuccess) code = cudaGraphInstantiate(&run_, made, 0);
    (void)cudaGraphDestroy(made);
    check(code);
  }
  ~graph() {
    if (run_ != nullptr) (void)cudaGraphExecDestroy(run_);
  }
  graph(graph&& other) noexcept : run_{std::exchange(other.run_, nullptr)}, size_{std::exchange(other.size_, 0)} {}
  graph& operator=(graph&& other) noexcept {
    std::swap(run_, other.run_);
    std::swap(size_, other.size_);
    return *this;
  }
  [[nodiscard]] bool exists() const noexcept { return run_ != nullptr; }
  /// Launches and copies in it.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void replay(stream on) const { check(cudaGraphLaunch(run_, on)); }

 private:
  cudaGraphExec_t run_ = nullptr;
  std::size_t size_ = 0;
};

/// A point in a stream.
class event {
 public:
  event() { check(cudaEventCreate(&event_)); }
  ~event() {
    if (event_ != nullptr) (void)cudaEventDestroy(event_);
  }
  event(event&& other) noexcept : event_{std::exchange(other.event_, nullptr)} {}
  event& operator=(event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  void record(stream on) { check(cudaEventRecord(event_, on)); }
  /// What is put on the stream from now on waits for the point.
  void let_wait(stream on) const { check(cudaStreamWaitEvent(on, event_, 0)); }
  /// Milliseconds since an earlier point; waits for this one.
  [[nodiscard]] float since(const event& earlier) const {
    float ms = 0;
    check(cudaEventSynchronize(event_));
    check(cudaEventElapsedTime(&ms, earlier.event_, event_));
    return ms;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Makes the device's pool keep what is given back to it, so that asking again costs no call of the driver.
inline void keep_freed_memory() {
  int which = 0;
  cudaMemPool_t pool = nullptr;
  std::uint64_t all = UINT64_MAX;
  check(cudaGetDevice(&which));
  check(cudaDeviceGetDefaultMemPool(&pool, which));
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all));
}

/// From the device's pool, in the order of the stream. Throws memory_error where there is not enough.
[[nodiscard]] inline void* allocate_bytes(std::size_t bytes, stream on) {
  void* made = nullptr;
  const auto code = cudaMallocAsync(&made, bytes, on);
  if (code == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    anodiff::detail::fail<memory_error>({"cuda_engine: needs ", bytes, " bytes of GPU memory, which are not free"});
  }
  check(code);
  return made;
}
inline void release_bytes(void* p, stream on) noexcept { (void)cudaFreeAsync(p, on); }

/// Memory of the host that copies reach without a stop on the way. Throws memory_error where there is not enough.
[[nodiscard]] inline void* allocate_pinned(std::size_t bytes) {
  void* made = nullptr;
  const auto code = cudaMallocHost(&made, bytes);
  if (code == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    anodiff::detail::fail<memory_error>({"cuda_engine: needs ", bytes, " bytes of pinned memory, which are not free"});
  }
  check(code);
  return made;
}
inline void release_pinned(void* p) noexcept { (void)cudaFreeHost(p); }

/// Copies in the order of the stream, without waiting: device to device, or where the host's side is pinned memory that
/// stays as it is until the stream has come there.
inline void copy(void* to, const void* from, std::size_t bytes, stream on) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, on));
}
inline void upload(void* to, const void* from, std::size_t bytes, stream on) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, on));
  check(cudaStreamSynchronize(on));  // `from` may go
}
inline void download(void* to, const void* from, std::size_t bytes, stream on) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, on));
  check(cudaStreamSynchronize(on));
}
inline void wait(stream on) { check(cudaStreamSynchronize(on)); }

}  // namespace device
}  // namespace anodiff
