// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <memory>
#include <type_traits>

namespace anodiff {

/// What a long call reports while it works.
struct progress {
  const char* stage = "";  ///< what is being done: "train", "calibrate", "score"
  index done = 0;          ///< units finished, 0 … total
  index total = 0;         ///< units in all; 0 where unknown
  double loss = 0;         ///< training loss, running mean; 0 outside training
  double validation = 0;   ///< validation loss of the averaged weights; 0 where none has been measured
  double seconds = 0;      ///< since the stage began
  double rate = 0;         ///< samples a second: rows, pictures or pieces of them; 0 where unknown
};

/// A borrowed callable `bool(const progress&)`; returning false stops the work at the next safe place. Training that is
/// stopped keeps what has been learned so far; other work throws stopped. An empty one is never called. The callable
/// must outlive the call it is given to.
class progress_callback {
 public:
  progress_callback() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, progress_callback> && std::is_invocable_v<F&, const progress&>)
      progress_callback(F&& f)
  noexcept {  // NOLINT: a callable is a callback
    using callable = std::remove_reference_t<F>;
    if constexpr (std::is_function_v<callable>) {
      target_.function = reinterpret_cast<void (*)()>(&f);
      call_ = [](target t, const progress& p) { return answer(*reinterpret_cast<callable*>(t.function), p); };
    } else {
      target_.object = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
      call_ = [](target t, const progress& p) { return answer(*static_cast<callable*>(t.object), p); };
    }
  }
  /// True to go on.
  bool operator()(const progress& p) const { return call_ == nullptr || call_(target_, p); }
  explicit operator bool() const noexcept { return call_ != nullptr; }

 private:
  union target {
    void* object;
    void (*function)();
  };
  template <class F>
  [[nodiscard]] static bool answer(F& f, const progress& p) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const progress&>>) {
      f(p);
      return true;
    } else {
      return static_cast<bool>(f(p));
    }
  }
  target target_{nullptr};
  bool (*call_)(target, const progress&) = nullptr;
};

}  // namespace anodiff
