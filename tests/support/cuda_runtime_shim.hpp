// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams, events and memory for a plain C++ compiler: the device's memory is the heap, and whatever is put on a stream
// has ended when the call returns.

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>

namespace anodiff::device {

struct stream {};

inline void require_gpu() noexcept {}

class owned_stream {
 public:
  [[nodiscard]] stream get() const noexcept { return {}; }
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
[[nodiscard]] inline void* allocate_bytes(std::size_t bytes, stream) {
  void* made = std::malloc(bytes);
  if (made == nullptr) throw std::bad_alloc();
  std::memset(made, 0xFF, bytes);  // NaN: nobody may count on zeros
  return made;
}
inline void release_bytes(void* p, stream) noexcept { std::free(p); }
inline void upload(void* to, const void* from, std::size_t bytes, stream) noexcept { std::memcpy(to, from, bytes); }
inline void download(void* to, const void* from, std::size_t bytes, stream) noexcept { std::memcpy(to, from, bytes); }
inline void wait(stream) noexcept {}

}  // namespace anodiff::device
