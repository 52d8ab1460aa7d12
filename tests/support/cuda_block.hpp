// SPDX-License-Identifier: Apache-2.0
#pragma once

// The CUDA threads of one block on one thread of the machine: who runs, who waits, and what each waits for.

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/philox.hpp>
#include <array>
#include <cstring>
#include <exception>
#include <numeric>
#include <string>
#include "cuda_fiber.hpp"

namespace anodiff::shim {

/// A kernel did what CUDA leaves undefined, or what never ends.
class kernel_fault : public error {
 public:
  using error::error;
};

/// Where a call stands.
struct place {
  const char* file = "";
  int line = 0;
  [[nodiscard]] bool operator==(const place& other) const noexcept {
    return line == other.line && std::strcmp(file, other.file) == 0;
  }
};
[[nodiscard]] inline std::string to_string(const place& at) { return concat(at.file, ":", at.line); }

/// Who goes on first at a choice: the one that has waited longest, the newest (a warp whose lanes have met runs ahead
/// of all others; blocks from the last), or a drawn one.
enum class order { forward, reverse, random };
struct schedule {
  shim::order order = shim::order::forward;
  std::uint64_t seed = 0;
};
inline schedule chosen_schedule{};

/// A step that visits all of `count` places once, drawn by seed.
[[nodiscard]] inline std::size_t coprime_step(std::uint64_t seed, std::size_t count) noexcept {
  auto step =
      static_cast<std::size_t>(random_below({.seed = seed, .draw = 1}, 0, std::min<std::size_t>(count, 0xFFFFFFFF)));
  while (std::gcd(step, count) != 1) ++step;
  return step;
}

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) noexcept : x{x_}, y{y_}, z{z_} {}  // NOLINT
  [[nodiscard]] constexpr std::size_t count() const noexcept { return std::size_t{x} * y * z; }
};

inline constexpr unsigned lanes_a_warp = 32;
inline constexpr std::size_t most_static_shared = 48 << 10, most_shared = 227 << 10;

/// The shared memory of one block: every array between zones that nobody may touch, filled with NaN.
class shared_memory {
 public:
  shared_memory() { map(); }
  ~shared_memory() { unmap(); }
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;

  void start_block() {
    entries_.clear();
    used_ = 0;
    static_bytes_ = 0;
    if (thread_sanitizer) {  // a mapping of its own for each block: the sanitizer takes blocks for concurrent
      unmap();
      map();
    }
#ifdef SUPPORT_CUDA_ASAN
    ASAN_POISON_MEMORY_REGION(base_, capacity);
#endif
  }

  /// The array known by `key`, made at the first call of a block.
  [[nodiscard]] void* array(const void* key, std::size_t bytes, bool is_static, const place& at) {
    for (const auto& e : entries_)
      if (e.key == key) return base_ + e.first;
    if (is_static) static_bytes_ += bytes;
    if (static_bytes_ > most_static_shared)
      throw kernel_fault(
          concat("shared memory: at most 49152 bytes of named arrays, got ", static_bytes_, " at ", to_string(at)));
    const std::size_t first = used_ + zone, padded = (bytes + 15) / 16 * 16;
    used_ = first + padded;
    if (used_ + zone > capacity)
      throw kernel_fault(concat("shared memory: at most ", most_shared, " bytes, got more at ", to_string(at)));
#ifdef SUPPORT_CUDA_ASAN
    ASAN_UNPOISON_MEMORY_REGION(base_ + first, bytes);
#else
    std::memset(base_ + first - zone, canary, zone);
    std::memset(base_ + first + bytes, canary, padded - bytes + zone);
#endif
    std::memset(base_ + first, poison, bytes);
    entries_.push_back({key, first, bytes, at});
    return base_ + first;
  }

  void end_block() const {
    if (address_sanitizer) return;
    for (const auto& e : entries_) {
      const auto untouched = [&](std::size_t from, std::size_t to) {
        return std::all_of(base_ + from, base_ + to, [](unsigned char b) { return b == canary; });
      };
      if (!untouched(e.first - zone, e.first) ||
          !untouched(e.first + e.bytes, (e.first + e.bytes + 15) / 16 * 16 + zone))
        throw kernel_fault(
            concat("shared memory: the array of ", e.bytes, " bytes of ", to_string(e.at), " was written outside"));
    }
  }

  static constexpr unsigned char poison = 0xFF;  ///< NaN in every element type

 private:
  struct entry {
    const void* key;
    std::size_t first, bytes;
    place at;
  };
  static constexpr std::size_t zone = 512, capacity = most_shared + 64 * zone;
  static constexpr unsigned char canary = 0xC5;

  void map() {
    void* made = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<unsigned char*>(made);
  }
  void unmap() noexcept {
#ifdef SUPPORT_CUDA_ASAN
    ASAN_UNPOISON_MEMORY_REGION(base_, capacity);
#endif
    munmap(base_, capacity);
  }

  unsigned char* base_ = nullptr;
  std::size_t used_ = 0, static_bytes_ = 0;
  std::vector<entry> entries_;
};

enum class state { ready, at_barrier, at_collective, ended };

/// A 16-byte copy under way: it arrives when its group is waited for.
struct pending_copy {
  void* to;
  std::array<unsigned char, 16> bytes;
  int group;
};

struct cuda_thread {
  fiber own;
  bool started = false;
  shim::state state = state::ready;
  place at{};
  unsigned mask = 0;           ///< lanes that meet
  const void* kind = nullptr;  ///< which function they meet in
  const void* given = nullptr;
  void* result = nullptr;
  unsigned phase = 0;  ///< parity of the barriers passed
  std::vector<pending_copy> copies;
  int open_group = 0;
};

/// Runs the threads of one block after the other, as the schedule says, until all have ended.
class block_run {
 public:
  block_run(dim3 block, std::size_t dynamic_bytes, void (*body)(const void*), const void* context)
      : shape_{block}, dynamic_bytes_{dynamic_bytes}, body_{body}, context_{context}, threads_(block.count()) {
#ifdef SUPPORT_CUDA_TSAN
    main_.thread_sanitizer_state = __tsan_get_current_fiber();
#endif
  }

  /// Throws kernel_fault, or what a thread threw. Threads that have not ended are then dropped as they stand.
  void run(dim3 at, std::uint64_t number) {
    overlooked scope;
    block_at = at;
    random_key_ = {.seed = chosen_schedule.seed, .draw = static_cast<std::uint32_t>(number)};
    drawn_ = 0;
    shared.start_block();
    ready_.clear();
    first_ready_ = 0;
    for (unsigned k = 0; k < threads_.size(); ++k) {
      auto& t = threads_[k];
      t.started = false;
      t.state = state::ready;
      t.phase = 0;
      t.copies.clear();
      ready_.push_back(k);
    }
    at_barrier_ = ended_ = 0;
    while (first_ready_ < ready_.size()) {
      running_ = pick();
      resume(threads_[running_]);
      if (thrown_) {
        const auto what = thrown_;
        thrown_ = nullptr;
        std::rethrow_exception(what);
      }
    }
    if (ended_ != threads_.size()) report_stuck();
    shared.end_block();
  }

  /// Under the thread sanitizer, dead threads keep their identity until the launch ends: a reused one would hide races.
  void end_launch() {
#ifdef SUPPORT_CUDA_TSAN
    __tsan_acquire(&end_);
    for (void* f : dead_) __tsan_destroy_fiber(f);
    dead_.clear();
#endif
  }

  [[nodiscard]] cuda_thread& running() noexcept { return threads_[running_]; }
  [[nodiscard]] unsigned number() const noexcept { return running_; }
  [[nodiscard]] unsigned lane() const noexcept { return running_ % lanes_a_warp; }

  void barrier(place at) {
    auto& t = running();
    void* meeting = &barriers_[t.phase];
    {
      overlooked scope;
      t.at = at;
      t.state = state::at_barrier;
      t.phase ^= 1U;
      if (++at_barrier_ == threads_.size()) release_barrier(at);
    }
    release(meeting);
    suspend();
    acquire(meeting);
  }

  /// The lanes of `mask` meet; the last to come calls meet(lanes), which reads `given` and writes `result` of each.
  template <class Meet>
  void collective(unsigned mask, const void* kind, const void* given, void* result, place at, Meet meet) {
    auto& t = running();
    {
      overlooked scope;
      const unsigned first = running_ - lane();
      if ((mask >> lane() & 1U) == 0) fail(at, "names a mask without the calling lane");
      t.at = at;
      t.state = state::at_collective;
      t.mask = mask;
      t.kind = kind;
      t.given = given;
      t.result = result;
      bool all_here = true;
      for (unsigned k = 0; k < lanes_a_warp; ++k) {
        if ((mask >> k & 1U) == 0) continue;
        if (first + k >= threads_.size()) fail(at, concat("waits for lane ", k, ", which the block does not have"));
        const auto& other = threads_[first + k];
        if (other.state == state::ended) fail(at, concat("waits for lane ", k, ", which has ended"));
        if (other.state == state::at_collective && (other.mask >> lane() & 1U) != 0 &&
            (other.mask != mask || other.kind != kind || !(other.at == at)))
          fail(at, concat("waits for lane ", k, ", which waits in another call at ", to_string(other.at)));
        all_here = all_here && other.state == state::at_collective && other.mask == mask;
      }
      if (all_here) {
        meet(&threads_[first]);
        for (unsigned k = 0; k < lanes_a_warp; ++k)
          if ((mask >> k & 1U) != 0) make_ready(first + k);
      }
    }
    suspend();
  }

  /// Orders memory between the lanes that meet around it, for the thread sanitizer.
  void release(void* meeting) {
#ifdef SUPPORT_CUDA_TSAN
    __tsan_release(meeting);
#else
    (void)meeting;
#endif
  }
  void acquire(void* meeting) {
#ifdef SUPPORT_CUDA_TSAN
    __tsan_acquire(meeting);
#else
    (void)meeting;
#endif
  }
  [[nodiscard]] void* warp_meeting() noexcept {
    overlooked scope;
    return &warp_meetings_[running_ / lanes_a_warp * 2 + (warp_phase_[running_]++ & 1U)];
  }
  [[nodiscard]] void* fence_meeting() noexcept { return &fence_; }

  [[noreturn]] void fail(const place& at, const std::string& what) const {
    throw kernel_fault(concat("block (", block_at.x, ", ", block_at.y, ", ", block_at.z, "), thread ", running_, " at ",
                              to_string(at), ": ", what));
  }

  [[nodiscard]] std::size_t dynamic_bytes() const noexcept { return dynamic_bytes_; }
  [[nodiscard]] dim3 shape() const noexcept { return shape_; }

  shared_memory shared;
  dim3 block_at{};
  static inline block_run* current = nullptr;
  static inline void (*on_resume)(unsigned thread) = nullptr;

 private:
  [[nodiscard]] unsigned pick() {
    unsigned chosen = 0;
    switch (chosen_schedule.order) {
      case order::forward:
        chosen = ready_[first_ready_++];
        break;
      case order::reverse:
        chosen = ready_.back();
        ready_.pop_back();
        break;
      case order::random: {
        const auto left = ready_.size() - first_ready_;
        auto& slot = ready_[first_ready_ + static_cast<std::size_t>(random_below(random_key_, drawn_++, left))];
        chosen = slot;
        slot = ready_.back();
        ready_.pop_back();
        break;
      }
    }
    if (first_ready_ == ready_.size()) {
      ready_.clear();
      first_ready_ = 0;
    }
    return chosen;
  }
  void make_ready(unsigned k) {
    threads_[k].state = state::ready;
    ready_.push_back(k);
  }
  void release_barrier(const place& at) {
    for (const auto& t : threads_)
      if (!(t.at == at)) fail(at, concat("waits at a barrier while others wait at another one, ", to_string(t.at)));
    at_barrier_ = 0;
    for (unsigned k = 0; k < threads_.size(); ++k) make_ready(k);
  }

  void resume(cuda_thread& t) {
    on_resume(running_);
    if (!t.started) {
      t.started = true;
      t.own.prepare(stacks_.take(), &enter);
    }
    switch_to(main_, t.own);
    if (t.state == state::ended) {
      ++ended_;
      stacks_.give_back(t.own.on);
#ifdef SUPPORT_CUDA_TSAN
      dead_.push_back(t.own.thread_sanitizer_state);
#endif
    }
  }
  void suspend() {
    const unsigned me = running_;
    switch_to(threads_[me].own, main_);
  }

  static void enter() {
    block_run& b = *current;
#ifdef SUPPORT_CUDA_ASAN
    const void* bottom = nullptr;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &b.main_.size);
    b.main_.on.bottom = static_cast<std::byte*>(const_cast<void*>(bottom));
#endif
    try {
      b.body_(b.context_);
    } catch (...) {
      overlooked scope;
      b.thrown_ = std::current_exception();
    }
    cuda_thread& me = b.running();
    {
      overlooked scope;
      me.state = state::ended;
    }
    b.release(&b.end_);  // the last that the thread sanitizer sees of this thread
    switch_to(me.own, b.main_, true);
  }

  [[noreturn]] void report_stuck() const {
    const cuda_thread* barrier = nullptr;
    const cuda_thread* lanes = nullptr;
    for (const auto& t : threads_) {
      if (t.state == state::at_barrier && barrier == nullptr) barrier = &t;
      if (t.state == state::at_collective && lanes == nullptr) lanes = &t;
    }
    const auto who = [&](const cuda_thread* t) {
      return concat("thread ", t - threads_.data(), " waits at ", to_string(t->at));
    };
    std::string text = concat("block (", block_at.x, ", ", block_at.y, ", ", block_at.z, ") is stuck: ");
    if (barrier != nullptr)
      text += concat("at a barrier ", who(barrier), " with ", at_barrier_, " of ", threads_.size());
    if (lanes != nullptr) text += concat(barrier != nullptr ? "; " : "", "for lanes of its warp ", who(lanes));
    if (ended_ != 0) text += concat("; ", ended_, " threads have ended");
    throw kernel_fault(text);
  }

  dim3 shape_;
  std::size_t dynamic_bytes_;
  void (*body_)(const void*);
  const void* context_;
  std::vector<cuda_thread> threads_;
  std::vector<unsigned> ready_;
  std::size_t first_ready_ = 0, at_barrier_ = 0, ended_ = 0;
  unsigned running_ = 0;
  fiber main_;
  std::exception_ptr thrown_;
  noise_key random_key_{};
  std::uint64_t drawn_ = 0;
  static inline stack_pool stacks_;  // they outlive a launch: mapping them costs more than running it
  char barriers_[2]{}, fence_ = 0, end_ = 0;
  std::vector<char> warp_meetings_ = std::vector<char>((threads_.size() / lanes_a_warp + 1) * 2);
  std::vector<unsigned> warp_phase_ = std::vector<unsigned>(threads_.size());
#ifdef SUPPORT_CUDA_TSAN
  std::vector<void*> dead_;
#endif
};

}  // namespace anodiff::shim
