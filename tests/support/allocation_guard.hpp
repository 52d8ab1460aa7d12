// SPDX-License-Identifier: Apache-2.0
#pragma once

// Replaces the program's allocation functions by ones that count: include it in exactly one source file of a program.
// Under the thread sanitizer, whose own they are, nothing is replaced and nothing is counted.

#include <atomic>
#include <cstdlib>
#include <new>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define SUPPORT_THREAD_SANITIZER
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define SUPPORT_THREAD_SANITIZER
#endif

namespace support {

inline std::atomic<long> allocations{0};

/// Counts the allocations of all threads while it lives.
class allocation_guard {
 public:
  [[nodiscard]] long count() const noexcept { return allocations.load() - before_; }

 private:
  long before_ = allocations.load();
};

namespace detail {

[[nodiscard]] inline void* counted_or_null(std::size_t size, std::size_t alignment) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
}
[[nodiscard]] inline void* counted(std::size_t size, std::size_t alignment) {
  if (void* made = counted_or_null(size, alignment)) return made;
  throw std::bad_alloc();
}

}  // namespace detail
}  // namespace support

#ifndef SUPPORT_THREAD_SANITIZER
// All forms, since a sanitizer has its own of those that are missing. Not inlined: GCC would take free() in delete for
// a mistake. NOLINTBEGIN
[[gnu::noinline]] void* operator new(std::size_t size) {
  return support::detail::counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return support::detail::counted_or_null(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return support::detail::counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return support::detail::counted_or_null(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
[[gnu::noinline]] void* operator new[](std::size_t size) {
  return support::detail::counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return support::detail::counted_or_null(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return support::detail::counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return support::detail::counted_or_null(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
// NOLINTEND
#endif
