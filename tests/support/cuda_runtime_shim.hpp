// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams, graphs, events and memory for a plain C++ compiler: the device's memory is the heap, and whatever is put on
// a stream has ended when the call returns, unless the stream is recorded.

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>
#include "cuda_block.hpp"

namespace anodiff::shim {

/// A test may take the device for one without clusters.
inline bool has_clusters = true;

using recorded_work = std::vector<std::function<void()>>;

/// Where a stream's work goes while a graph is recorded.
struct stream_state {
  recorded_work* recording = nullptr;
};

}  // namespace anodiff::shim

namespace anodiff::device {

/// The one without a state is never recorded.
struct stream {
  shim::stream_state* state = nullptr;
  [[nodiscard]] bool recorded() const noexcept { return state != nullptr && state->recording != nullptr; }
  [[nodiscard]] bool operator==(const stream&) const = default;
};

}  // namespace anodiff::device

namespace anodiff::shim {

/// Work runs now, or is kept where the stream is recorded. What stands in for a library's call puts itself here too.
template <class F>
void put_on(device::stream on, F work) {
  if (on.recorded())
    on.state->recording->push_back(std::move(work));
  else
    work();
}
/// Throws kernel_fault for what a recorded stream cannot do.
inline void refuse_while_recorded(device::stream on, const char* what) {
  check<kernel_fault>(!on.recorded(), "a stream that is recorded cannot ", what);
}

}  // namespace anodiff::shim

namespace anodiff::device {

inline void require_gpu() noexcept {}

class owned_stream {
 public:
  [[nodiscard]] stream get() const noexcept { return {state_.get()}; }

 private:
  std::unique_ptr<shim::stream_state> state_ = std::make_unique<shim::stream_state>();
};

class graph {
 public:
  graph() = default;
  template <class F>
  graph(stream on, F&& enqueue) {
    check<shim::kernel_fault>(on.state != nullptr, "the default stream cannot be recorded");
    shim::refuse_while_recorded(on, "be recorded twice at once");
    on.state->recording = &work_;
    try {
      enqueue();
    } catch (...) {
      on.state->recording = nullptr;
      throw;
    }
    on.state->recording = nullptr;
  }
  graph(graph&& other) noexcept : work_{std::exchange(other.work_, {})} {}
  graph& operator=(graph&& other) noexcept {
    work_.swap(other.work_);
    return *this;
  }
  [[nodiscard]] bool exists() const noexcept { return !work_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return work_.size(); }
  void replay(stream on) const {
    shim::refuse_while_recorded(on, "replay a graph");
    for (const auto& work : work_) work();
  }

 private:
  shim::recorded_work work_;
};

class event {
 public:
  void record(stream) noexcept { at_ = std::chrono::steady_clock::now(); }
  void let_wait(stream) const noexcept {}
  [[nodiscard]] float since(const event& earlier) const noexcept {
    return std::chrono::duration<float, std::milli>(at_ - earlier.at_).count();
  }

 private:
  std::chrono::steady_clock::time_point at_{};
};

inline void keep_freed_memory() noexcept {}
[[nodiscard]] inline void* allocate_bytes(std::size_t bytes, stream on) {
  shim::refuse_while_recorded(on, "allocate");
  void* made = std::malloc(bytes);
  if (made == nullptr) throw std::bad_alloc();
  std::memset(made, 0xFF, bytes);  // NaN: nobody may count on zeros
  return made;
}
inline void release_bytes(void* p, stream) noexcept { std::free(p); }
[[nodiscard]] inline void* allocate_pinned(std::size_t bytes) { return allocate_bytes(bytes, {}); }
inline void release_pinned(void* p) noexcept { std::free(p); }
inline void copy(void* to, const void* from, std::size_t bytes, stream on) {
  shim::put_on(on, [=] { std::memcpy(to, from, bytes); });
}
inline void upload(void* to, const void* from, std::size_t bytes, stream on) {
  shim::refuse_while_recorded(on, "wait for an upload");
  std::memcpy(to, from, bytes);
}
inline void download(void* to, const void* from, std::size_t bytes, stream on) {
  shim::refuse_while_recorded(on, "wait for a download");
  std::memcpy(to, from, bytes);
}
inline void wait(stream on) { shim::refuse_while_recorded(on, "be waited for"); }

}  // namespace anodiff::device
