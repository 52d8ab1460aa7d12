// SPDX-License-Identifier: Apache-2.0
#pragma once

// The CUDA threads of one cluster of blocks, of one block as a rule, on one thread of the machine: who runs, who waits,
// and what each waits for.

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/philox.hpp>
#include <array>
#include <cstring>
#include <deque>
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

  /// The place in `other`, another block's memory, of what lies at `p` here; null where either has no such array.
  [[nodiscard]] void* mapped(const void* p, const shared_memory& other) const noexcept {
    const auto at = static_cast<const unsigned char*>(p);
    for (const auto& e : entries_)
      if (at >= base_ + e.first && at < base_ + e.first + e.bytes)
        for (const auto& o : other.entries_)
          if (o.key == e.key) return other.base_ + o.first + (at - (base_ + e.first));
    return nullptr;
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

enum class state { ready, at_barrier, at_cluster_barrier, at_collective, at_arrivals, ended };

/// A 16-byte copy under way: it arrives when its group is waited for.
struct pending_copy {
  void* to;
  std::array<unsigned char, 16> bytes;
  int group;
};

/// A word from another block: it is there once the bytes that its arrivals expect have all come, and somebody has
/// waited for them.
struct sent_word {
  void* to;
  std::uint32_t word;
};
struct arrivals {
  const void* key = nullptr;  ///< where it lies in its block's shared memory
  long bytes = 0;             ///< expected, less those that have come
  bool expecting = false;
  unsigned phase = 0;  ///< parity of those that are over
  std::vector<sent_word> coming, come;
  char meeting[2]{};  ///< of each parity, for the thread sanitizer
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
  unsigned phase = 0, cluster_phase = 0;  ///< parity of the barriers passed
  std::vector<pending_copy> copies;
  int open_group = 0;
};

/// Runs the threads of one cluster after the other, as the schedule says, until all have ended.
class block_run {
 public:
  /// `blocks`: those of a cluster, neighbours in x.
  block_run(dim3 block, std::size_t dynamic_bytes, void (*body)(const void*), const void* context, unsigned blocks = 1)
      : shape_{block},
        dynamic_bytes_{dynamic_bytes},
        body_{body},
        context_{context},
        a_block_{static_cast<unsigned>(block.count())},
        threads_(block.count() * blocks),
        blocks_(blocks) {
#ifdef SUPPORT_CUDA_TSAN
    main_.thread_sanitizer_state = __tsan_get_current_fiber();
#endif
  }

  /// The cluster that begins at block `at`. Throws kernel_fault, or what a thread threw. Threads that have not ended
  /// are then dropped as they stand.
  void run(dim3 at, std::uint64_t number) {
    overlooked scope;
    random_key_ = {.seed = chosen_schedule.seed, .draw = static_cast<std::uint32_t>(number)};
    drawn_ = 0;
    for (auto& b : blocks_) {
      b.at = at;
      ++at.x;
      b.shared.start_block();
      b.at_barrier = b.ended = 0;
      b.waited_for.clear();
    }
    ready_.clear();
    first_ready_ = 0;
    for (unsigned k = 0; k < threads_.size(); ++k) {
      auto& t = threads_[k];
      t.started = false;
      t.state = state::ready;
      t.phase = t.cluster_phase = 0;
      t.copies.clear();
      ready_.push_back(k);
    }
    at_cluster_barrier_ = 0;
    while (first_ready_ < ready_.size()) {
      running_ = pick();
      resume(threads_[running_]);
      if (thrown_) {
        const auto what = thrown_;
        thrown_ = nullptr;
        std::rethrow_exception(what);
      }
    }
    for (unsigned k = 0; k < blocks_.size(); ++k)
      if (blocks_[k].ended != a_block_) report_stuck(k);
    for (const auto& b : blocks_) b.shared.end_block();
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
  [[nodiscard]] unsigned number() const noexcept { return running_ % a_block_; }
  [[nodiscard]] unsigned lane() const noexcept { return number() % lanes_a_warp; }
  /// The block of the running thread, its number in the cluster, and how many there are.
  [[nodiscard]] dim3 block_at() const noexcept { return blocks_[block()].at; }
  [[nodiscard]] unsigned block() const noexcept { return running_ / a_block_; }
  [[nodiscard]] unsigned blocks() const noexcept { return static_cast<unsigned>(blocks_.size()); }
  [[nodiscard]] shared_memory& shared() noexcept { return blocks_[block()].shared; }

  void barrier(place at) {
    auto& t = running();
    auto& b = blocks_[block()];
    void* meeting = &b.barriers[t.phase];
    {
      overlooked scope;
      t.at = at;
      t.state = state::at_barrier;
      t.phase ^= 1U;
      if (++b.at_barrier == a_block_) {
        b.at_barrier = 0;
        release_barrier(at, running_ - number(), a_block_);
      }
    }
    release(meeting);
    suspend();
    acquire(meeting);
  }
  /// All threads of all blocks of the cluster meet.
  void cluster_barrier(place at) {
    auto& t = running();
    void* meeting = &cluster_barriers_[t.cluster_phase];
    {
      overlooked scope;
      t.at = at;
      t.state = state::at_cluster_barrier;
      t.cluster_phase ^= 1U;
      if (++at_cluster_barrier_ == threads_.size()) {
        at_cluster_barrier_ = 0;
        release_barrier(at, 0, static_cast<unsigned>(threads_.size()));
      }
    }
    release(meeting);
    suspend();
    acquire(meeting);
  }

  /// The arrivals at `key` in this block's shared memory are ready to be counted.
  void open_arrivals(const void* key) {
    overlooked scope;
    blocks_[block()].waited_for.emplace_back().key = key;
  }
  /// Adds to the bytes that the phase under way waits for, and lets it end.
  void expect(const void* key, unsigned bytes, place at) {
    overlooked scope;
    auto& a = arrivals_at(block(), key, at);
    if (a.expecting) fail(at, "expects bytes twice in one phase");
    a.bytes += bytes;
    a.expecting = true;
    end_phase(a, block());
  }
  /// Sends a word to the place of `to` in another block of the cluster, and its four bytes to that block's arrivals.
  void send(const void* to, unsigned block_to, std::uint32_t word, const void* key, place at) {
    if (block_to >= blocks()) fail(at, concat("sends to block ", block_to, " of a cluster of ", blocks()));
    auto& other = blocks_[block_to];
    void *there = nullptr, *counted = nullptr;
    {
      overlooked scope;
      there = shared().mapped(to, other.shared);
      counted = shared().mapped(key, other.shared);
    }
    if (there == nullptr || counted == nullptr)
      fail(at, concat("sends to what block ", block_to, " does not have in its shared memory yet"));
    if (other.ended == a_block_) fail(at, concat("sends to block ", block_to, ", which has ended"));
    std::memset(there, shared_memory::poison, sizeof word);  // it may come at any time from now on
    void* meeting = nullptr;
    {
      overlooked scope;
      auto& a = arrivals_at(block_to, counted, at);
      a.bytes -= static_cast<long>(sizeof word);
      a.coming.push_back({there, word});
      meeting = &a.meeting[a.phase];
    }
    release(meeting);
    overlooked scope;
    end_phase(arrivals_at(block_to, counted, at), block_to);
  }
  /// Waits for the end of the phase with this parity.
  void wait_arrivals(const void* key, unsigned parity, place at) {
    auto& a = arrivals_at(block(), key, at);
    {
      overlooked scope;
      auto& t = running();
      t.at = at;
      t.given = &a;
      while (a.phase == parity) {
        t.state = state::at_arrivals;
        suspend();
      }
      for (const auto& w : a.come) std::memcpy(w.to, &w.word, sizeof w.word);
      a.come.clear();
    }
    acquire(&a.meeting[parity]);
  }

  /// The lanes of `mask` meet; the last to come calls meet(lanes), which reads `given` and writes `result` of each.
  template <class Meet>
  void collective(unsigned mask, const void* kind, const void* given, void* result, place at, Meet meet) {
    auto& t = running();
    {
      overlooked scope;
      const unsigned first = running_ - lane(), of_block = running_ - number();
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
        if (first + k >= of_block + a_block_) fail(at, concat("waits for lane ", k, ", which the block does not have"));
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
    return &warp_meetings_[(running_ - lane()) * 2 + (warp_phase_[running_]++ & 1U)];
  }
  [[nodiscard]] void* fence_meeting() noexcept { return &fence_; }

  [[noreturn]] void fail(const place& at, const std::string& what) const {
    throw kernel_fault(concat(name_of(block()), ", thread ", number(), " at ", to_string(at), ": ", what));
  }

  [[nodiscard]] std::size_t dynamic_bytes() const noexcept { return dynamic_bytes_; }
  [[nodiscard]] dim3 shape() const noexcept { return shape_; }

  static inline block_run* current = nullptr;
  static inline void (*on_resume)(unsigned thread, dim3 block) = nullptr;

 private:
  struct block_state {
    dim3 at{};
    shared_memory shared;
    std::size_t at_barrier = 0, ended = 0;
    std::deque<arrivals> waited_for;
    char barriers[2]{};
  };

  [[nodiscard]] std::string name_of(unsigned block) const {
    const auto& at = blocks_[block].at;
    return concat("block (", at.x, ", ", at.y, ", ", at.z, ")");
  }
  [[nodiscard]] arrivals& arrivals_at(unsigned block, const void* key, const place& at) {
    overlooked scope;
    for (auto& a : blocks_[block].waited_for)
      if (a.key == key) return a;
    fail(at, "counts arrivals where none were opened");
  }
  void end_phase(arrivals& a, unsigned block) {
    if (!a.expecting || a.bytes != 0) return;
    a.expecting = false;
    a.phase ^= 1U;
    a.come.insert(a.come.end(), a.coming.begin(), a.coming.end());
    a.coming.clear();
    for (unsigned k = block * a_block_; k < (block + 1) * a_block_; ++k)
      if (threads_[k].state == state::at_arrivals && threads_[k].given == &a) make_ready(k);
  }
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
  void release_barrier(const place& at, unsigned first, unsigned count) {
    for (unsigned k = first; k < first + count; ++k)
      if (const auto& t = threads_[k]; !(t.at == at))
        fail(at, concat("waits at a barrier while others wait at another one, ", to_string(t.at)));
    for (unsigned k = first; k < first + count; ++k) make_ready(k);
  }

  void resume(cuda_thread& t) {
    on_resume(number(), block_at());
    if (!t.started) {
      t.started = true;
      t.own.prepare(stacks_.take(), &enter);
    }
    switch_to(main_, t.own);
    if (t.state == state::ended) {
      ++blocks_[block()].ended;
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

  [[noreturn]] void report_stuck(unsigned block) const {
    const auto& b = blocks_[block];
    std::string text = concat(name_of(block), " is stuck: ");
    const char* between = "";
    const auto add = [&](state s, const std::string& what) {
      for (unsigned k = 0; k < a_block_; ++k)
        if (const auto& t = threads_[block * a_block_ + k]; t.state == s) {
          text += concat(between, what, "thread ", k, " waits at ", to_string(t.at));
          between = "; ";
          return true;
        }
      return false;
    };
    if (add(state::at_barrier, "at a barrier ")) text += concat(" with ", b.at_barrier, " of ", a_block_);
    if (add(state::at_cluster_barrier, "at the cluster's barrier "))
      text += concat(" with ", at_cluster_barrier_, " of ", threads_.size());
    add(state::at_collective, "for lanes of its warp ");
    add(state::at_arrivals, "for bytes of other blocks ");
    if (b.ended != 0) text += concat("; ", b.ended, " threads have ended");
    throw kernel_fault(text);
  }

  dim3 shape_;
  std::size_t dynamic_bytes_;
  void (*body_)(const void*);
  const void* context_;
  unsigned a_block_;  ///< threads
  std::vector<cuda_thread> threads_;
  std::deque<block_state> blocks_;
  std::vector<unsigned> ready_;
  std::size_t first_ready_ = 0, at_cluster_barrier_ = 0;
  unsigned running_ = 0;
  fiber main_;
  std::exception_ptr thrown_;
  noise_key random_key_{};
  std::uint64_t drawn_ = 0;
  static inline stack_pool stacks_;  // they outlive a launch: mapping them costs more than running it
  char cluster_barriers_[2]{}, fence_ = 0, end_ = 0;
  std::vector<char> warp_meetings_ = std::vector<char>((threads_.size() + 1) * 2);
  std::vector<unsigned> warp_phase_ = std::vector<unsigned>(threads_.size());
#ifdef SUPPORT_CUDA_TSAN
  std::vector<void*> dead_;
#endif
};

}  // namespace anodiff::shim
