// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <array>
#include <memory>
#include <mutex>

namespace anodiff {

/// A scorer's run and the memory for its evidence.
template <class Run>
struct planned_run {
  std::unique_ptr<Run> run;
  aligned_vector<float> evidence;
  index max_rows = 0;
};

/// Planned runs, kept for the next call: planning costs more than scoring a few rows. Each is used by one caller at a
/// time; callers that come together plan one each.
template <class Run>
class run_cache {
 public:
  run_cache() = default;
  run_cache(const run_cache&) noexcept {}  // a copy plans its own
  run_cache& operator=(const run_cache&) noexcept {
    clear();
    return *this;
  }

  /// A planned run that goes back to the cache when it is let go.
  class lease : public planned_run<Run> {
   public:
    lease(planned_run<Run> planned, run_cache& home) noexcept : planned_run<Run>{std::move(planned)}, home_{home} {}
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    ~lease() { home_.give_back(std::move(*this)); }

   private:
    run_cache& home_;
  };

  /// A run for at least max_rows, though not for many times as many; plan(max_rows) makes one where none is idle.
  template <class Plan>
  [[nodiscard]] lease take(index max_rows, Plan&& plan) {
    {
      const std::lock_guard lock{mutex_};
      for (auto& candidate : idle_)
        if (candidate.run && candidate.max_rows >= max_rows && candidate.max_rows <= 64 * max_rows)
          return {std::move(candidate), *this};
    }
    return {plan(max_rows), *this};
  }
  void clear() noexcept {
    const std::lock_guard lock{mutex_};
    for (auto& planned : idle_) planned = {};
  }

 private:
  void give_back(planned_run<Run>&& planned) noexcept {
    const std::lock_guard lock{mutex_};
    for (auto& place : idle_)
      if (!place.run) {
        place = std::move(planned);
        return;
      }
    idle_.front() = std::move(planned);
  }
  std::mutex mutex_;
  std::array<planned_run<Run>, 8> idle_;
};

}  // namespace anodiff
