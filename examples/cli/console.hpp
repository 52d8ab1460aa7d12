// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/core/progress.hpp>
#include <chrono>
#include <string>

#include "json.hpp"

namespace anodiff::cli {

/// Writes the result of a command; throws io_error where stdout does not take it.
void print(const std::string& text);
void print(const json& document);

/// Standard error: remarks, and how far a long call has come. Silent where quiet.
class console {
 public:
  explicit console(bool quiet);
  console(const console&) = delete;
  console& operator=(const console&) = delete;
  ~console() { clear(); }

  template <class... Parts>
  void note(const Parts&... parts) {
    if (!quiet_) write_note(concat(parts...));
  }
  /// A bar where a person looks on, otherwise a line every few seconds. The stage ends after limit seconds
  /// at the latest; 0 = no limit.
  void show(const progress& p, double limit = 0);
  /// Takes the bar away.
  void clear();

 private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] double share_done(const progress& p, double seconds, double limit) const;
  void write_note(const std::string& text);

  bool quiet_, terminal_, drawn_ = false;
  clock::time_point shown_, begun_;  // of the line, of the stage
  std::string stage_;
  index first_ = 0;  // units that were done when the stage was first seen: a fit may go on from a checkpoint
};

/// While it lives, the first Ctrl-C (or SIGTERM) is only noticed; the second ends the program as usual.
class interruptible {
 public:
  interruptible();
  interruptible(const interruptible&) = delete;
  interruptible& operator=(const interruptible&) = delete;
  ~interruptible();
  /// The signal that came; 0 for none.
  [[nodiscard]] static int requested() noexcept;
};

/// Thrown where Ctrl-C leaves nothing worth keeping.
struct interrupted {
  int signal;
};

/// A number to read: six digits.
[[nodiscard]] std::string short_number(double value);
/// A duration: three digits.
[[nodiscard]] std::string short_seconds(double seconds);
/// A share in [0, 1] in per cent, with two decimals.
[[nodiscard]] std::string per_cent(double share);
[[nodiscard]] std::string pad_right(std::string text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string text, std::size_t width);

}  // namespace anodiff::cli
