// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace anodiff {

/// A fixed set of worker threads that share out numbered chunks of work. The caller works too. One job runs at a time:
/// a job started from within a job, or while another thread's job is running, is done by its caller alone, so that
/// nothing waits for anything and nothing is oversubscribed. A job does not wait for a worker that has not begun: where
/// other programs hold the cores, the caller does what is left. Who waits spins for some microseconds, then sleeps.
class thread_pool {
 public:
  /// threads counts the caller; 0 takes one for each core of the machine. Throws invalid_argument outside 0 … 1024.
  explicit thread_pool(int threads = 0) {
    check(threads >= 0 && threads <= 1024, "thread_pool: threads must lie in [0, 1024], got ", threads);
    if (threads == 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool() {
    stopping_.store(true);
    gate_.fetch_add(one_job);
    gate_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  [[nodiscard]] int threads() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls f(chunk) once for each chunk in [0, chunks), in any order and on any thread. The exception of the lowest
  /// chunk that threw is rethrown after all have ended. Allocates nothing.
  template <class F>
  void run(index chunks, F&& f) {
    if (chunks <= 0) return;
    if (chunks == 1 || workers_.empty() || inside_ || !owner_.try_lock()) {
      const inside_a_job mark;  // a job done by its caller is a job too: what it starts must not be shared out
      for (index i = 0; i < chunks; ++i) f(i);
      return;
    }
    const std::lock_guard owner{owner_, std::adopt_lock};
    using callable = std::remove_reference_t<F>;
    call_ = [](void* target, index chunk) { (*static_cast<callable*>(target))(chunk); };
    target_ = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    chunks_ = chunks;
    failed_chunk_ = chunks;
    next_.store(0, std::memory_order_relaxed);
    gate_.fetch_add(one_job + open, std::memory_order_release);
    gate_.notify_all();
    work();
    finish(gate_.fetch_sub(open, std::memory_order_acq_rel) - open);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  // the gate's bits: workers inside, caller asleep, job open, number of the job
  static constexpr std::uint32_t inside_mask = (1U << 11) - 1, caller_sleeps = 1U << 11, open = 1U << 12;
  static constexpr std::uint32_t one_job = 1U << 13;
  static constexpr std::chrono::microseconds spin_time{30};  // longer than the gap between two layers of a network

  /// Reads the gate until enough(gate), for as long as spinning is worth it; gives what was read last.
  template <class Enough>
  std::uint32_t spin_until(std::uint32_t gate, Enough&& enough) const {
    if (enough(gate)) return gate;
    const auto last = std::chrono::steady_clock::now() + spin_time;
    do {
      for (int i = 0; i < 16; ++i) {
        pause();
        gate = gate_.load(std::memory_order_acquire);
        if (enough(gate)) return gate;
      }
    } while (std::chrono::steady_clock::now() < last);
    return gate;
  }
  /// The job is closed to workers that have not begun: waits for those inside.
  void finish(std::uint32_t gate) {
    const auto empty = [](std::uint32_t g) { return (g & inside_mask) == 0; };
    gate = spin_until(gate, empty);
    while (!empty(gate)) {
      if (gate_.compare_exchange_weak(gate, gate | caller_sleeps, std::memory_order_acq_rel)) {
        gate_.wait(gate | caller_sleeps, std::memory_order_acquire);
        gate = gate_.load(std::memory_order_acquire);
      }
    }
    if ((gate & caller_sleeps) != 0) gate_.fetch_and(~caller_sleeps, std::memory_order_relaxed);
  }
  void serve() {
    std::uint32_t seen = 0;  // the number of the last job taken; its bits alone
    const auto is_new = [&](std::uint32_t g) { return (g & ~(one_job - 1)) != seen; };
    for (;;) {
      std::uint32_t gate = spin_until(gate_.load(std::memory_order_acquire), is_new);
      if (stopping_.load()) return;
      if (!is_new(gate)) {
        gate_.wait(gate, std::memory_order_acquire);
        continue;
      }
      if ((gate & open) == 0) {  // too late for this one
        seen = gate & ~(one_job - 1);
        continue;
      }
      if (!gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) continue;
      seen = gate & ~(one_job - 1);
      work();
      const std::uint32_t left = gate_.fetch_sub(1, std::memory_order_acq_rel) - 1;
      if ((left & inside_mask) == 0 && (left & caller_sleeps) != 0) gate_.notify_all();
    }
  }
  void work() {
    const inside_a_job mark;
    for (index chunk; (chunk = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_;) {
      try {
        call_(target_, chunk);
      } catch (...) {
        const std::lock_guard lock{failure_lock_};
        if (chunk < failed_chunk_) {
          failed_chunk_ = chunk;
          failure_ = std::current_exception();
        }
      }
    }
  }
  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  static inline thread_local bool inside_ = false;
  struct inside_a_job {
    inside_a_job() = default;
    inside_a_job(const inside_a_job&) = delete;
    inside_a_job& operator=(const inside_a_job&) = delete;
    ~inside_a_job() { inside_ = before; }
    bool before = std::exchange(inside_, true);
  };
  std::mutex owner_, failure_lock_;
  std::atomic<std::uint32_t> gate_{0};
  std::atomic<index> next_{0};
  std::atomic<bool> stopping_{false};
  void (*call_)(void*, index) = nullptr;
  void* target_ = nullptr;
  index chunks_ = 0;
  index failed_chunk_ = 0;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

/// Calls f(first, last) on consecutive pieces of [0, n), each of `grain` elements but for the last. The pieces depend
/// on n and grain alone, never on the number of threads: what each piece computes is the same on every machine.
template <class F>
void parallel_for(thread_pool& pool, index n, index grain, F&& f) {
  check(grain > 0, "parallel_for: grain must be positive, got ", grain);
  pool.run((n + grain - 1) / grain, [&](index chunk) { f(chunk * grain, std::min(n, (chunk + 1) * grain)); });
}

/// Sums f(first, last) over the pieces of parallel_for in their order, so that the rounding is the same for any number
/// of threads.
template <class T, class F>
[[nodiscard]] T parallel_sum(thread_pool& pool, index n, index grain, F&& f) {
  check(grain > 0, "parallel_sum: grain must be positive, got ", grain);
  std::vector<T> parts(static_cast<std::size_t>((n + grain - 1) / grain));
  pool.run(static_cast<index>(parts.size()), [&](index chunk) {
    parts[static_cast<std::size_t>(chunk)] = f(chunk * grain, std::min(n, (chunk + 1) * grain));
  });
  T sum{};
  for (const T& part : parts) sum += part;
  return sum;
}

}  // namespace anodiff
