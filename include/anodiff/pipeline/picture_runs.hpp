// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/scorer.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace anodiff {

namespace detail {

struct nothing_learned {};
template <class Scorer>
struct learned_or_nothing {
  using type = nothing_learned;
};
template <part::studies_normals Scorer>
struct learned_or_nothing<Scorer> {
  using type = typename Scorer::learned;
};
/// What a scorer learns from normal pictures; nothing for most.
template <class Scorer>
using learned_of = typename learned_or_nothing<Scorer>::type;
template <class Scorer, class Context>
using picture_run_of = decltype(std::declval<const Scorer&>().prepare(std::declval<const Context&>(), index{}));

}  // namespace detail

/// A scorer's run over one piece of a picture, and the memory for its evidence.
template <class Run>
struct picture_run {
  index height = 0, width = 0;
  std::unique_ptr<Run> run;
  std::vector<float> evidence;  ///< (views, 1, height width channels)
};

/// Planned runs by the size of a piece, kept for the next picture of that size. Each is used by one caller at a time.
template <class Run>
class picture_runs {
 public:
  static constexpr std::size_t most = 8;
  picture_runs() = default;
  picture_runs(const picture_runs&) noexcept {}  // a copy plans its own
  picture_runs& operator=(const picture_runs&) noexcept {
    clear();
    return *this;
  }

  /// A run that goes back to the cache when it is let go.
  class lease : public picture_run<Run> {
   public:
    lease(picture_run<Run> taken, picture_runs& home) noexcept : picture_run<Run>{std::move(taken)}, home_{home} {}
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    ~lease() { home_.give_back(std::move(*this)); }

   private:
    picture_runs& home_;
  };

  /// A run for pieces of (height, width); plan() makes one where none is idle.
  template <class Plan>
  [[nodiscard]] lease take(index height, index width, Plan&& plan) {
    {
      const std::lock_guard lock{mutex_};
      const auto found = std::ranges::find_if(
          idle_, [&](const picture_run<Run>& r) { return r.height == height && r.width == width; });
      if (found != idle_.end()) {
        picture_run<Run> taken = std::move(*found);
        idle_.erase(found);
        return {std::move(taken), *this};
      }
    }
    return {plan(), *this};
  }
  void clear() noexcept {
    const std::lock_guard lock{mutex_};
    idle_.clear();
  }

 private:
  void give_back(picture_run<Run>&& used) noexcept {
    if (!used.run) return;
    const std::lock_guard lock{mutex_};
    if (idle_.size() == most) idle_.erase(idle_.begin());  // the one that has waited longest
    idle_.push_back(std::move(used));
  }
  std::mutex mutex_;
  std::vector<picture_run<Run>> idle_ = [] {
    std::vector<picture_run<Run>> reserved;
    reserved.reserve(most);
    return reserved;
  }();
};

}  // namespace anodiff
