// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stacks and switches between them, with what the address and the thread sanitizer want to know of it. x86-64.

#include <sys/mman.h>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SUPPORT_CUDA_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define SUPPORT_CUDA_TSAN
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SUPPORT_CUDA_ASAN
#endif
#ifdef __SANITIZE_THREAD__
#define SUPPORT_CUDA_TSAN
#endif

#ifdef SUPPORT_CUDA_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SUPPORT_CUDA_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace anodiff::shim {

#ifdef SUPPORT_CUDA_ASAN
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif
#ifdef SUPPORT_CUDA_TSAN
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

/// While it lives, the thread sanitizer overlooks what this CUDA thread reads and writes: the shim's own bookkeeping.
class overlooked {
 public:
#ifdef SUPPORT_CUDA_TSAN
  overlooked() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~overlooked() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  overlooked() noexcept {}
  ~overlooked() {}
#endif
  overlooked(const overlooked&) = delete;
  overlooked& operator=(const overlooked&) = delete;
};

/// Saves what a call must keep on the stack in use, leaves its top in *from and goes on where `to` was left.
[[gnu::naked, gnu::noinline]] inline void switch_stack(void** /*from*/, void* /*to*/) {
  asm volatile(
      "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}

/// A mapping of its own with a forbidden page below, so that a stack that runs over stops there.
struct stack {
  static constexpr std::size_t size = address_sanitizer ? 256 << 10 : 64 << 10, guard = 4096;
  std::byte* bottom = nullptr;

  void map() {
    void* made =
        mmap(nullptr, size + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) throw std::bad_alloc();
    mprotect(made, guard, PROT_NONE);
    bottom = static_cast<std::byte*>(made) + guard;
  }
  void unmap() noexcept { munmap(bottom - guard, size + guard); }
};

/// Stacks that are free, the last one used on top. Under the thread sanitizer none is used twice, since it would take
/// what two CUDA threads write to one stack for a race.
class stack_pool {
 public:
  [[nodiscard]] stack take() {
    stack s;
    if (free_.empty()) {
      s.map();
    } else {
      s = free_.back();
      free_.pop_back();
    }
    return s;
  }
  void give_back(stack s) {
#ifdef SUPPORT_CUDA_ASAN
    ASAN_UNPOISON_MEMORY_REGION(s.bottom, stack::size);  // of the frames that were never returned from
#endif
    if (thread_sanitizer)
      s.unmap();
    else
      free_.push_back(s);
  }

 private:
  std::vector<stack> free_;
};

/// A place to go on at: the program's own stack, or a CUDA thread's.
struct fiber {
  void* top = nullptr;
  stack on{};
  std::size_t size = 0;
  void* address_sanitizer_state = nullptr;
  void* thread_sanitizer_state = nullptr;

  /// Makes the fiber begin at `entry`, which must never return.
  void prepare(stack s, void (*entry)()) {
    on = s;
    size = stack::size;
    auto* slot = reinterpret_cast<std::uintptr_t*>(s.bottom + stack::size) - 2;  // as after a call: top % 16 == 8
    *slot = reinterpret_cast<std::uintptr_t>(entry);
    for (int k = 0; k < 6; ++k) *--slot = 0;
    top = slot;
#ifdef SUPPORT_CUDA_TSAN
    thread_sanitizer_state = __tsan_create_fiber(0);
#endif
  }
};

/// Leaves `from`, which somebody will switch back to unless it has ended, and goes on in `to`.
#ifdef SUPPORT_CUDA_TSAN
[[gnu::no_sanitize("thread")]]
#endif
[[gnu::noinline]] inline void
switch_to(fiber& from, const fiber& to, [[maybe_unused]] bool ended = false) {
#ifdef SUPPORT_CUDA_ASAN
  __sanitizer_start_switch_fiber(ended ? nullptr : &from.address_sanitizer_state, to.on.bottom, to.size);
#endif
#ifdef SUPPORT_CUDA_TSAN
  __tsan_switch_to_fiber(to.thread_sanitizer_state, __tsan_switch_to_fiber_no_sync);
#endif
  switch_stack(&from.top, to.top);
#ifdef SUPPORT_CUDA_ASAN
  __sanitizer_finish_switch_fiber(from.address_sanitizer_state, nullptr, nullptr);
#endif
}

}  // namespace anodiff::shim
