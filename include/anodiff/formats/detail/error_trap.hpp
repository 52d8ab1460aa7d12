// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <string_view>

namespace anodiff::formats::detail {

/// Where a C library goes back to when it gives up, with its reason.
struct error_trap {
  std::jmp_buf place;
  char reason[200] = {};

  void note(std::string_view text) noexcept {
    const auto size = std::min(text.size(), sizeof reason - 1);
    std::copy_n(text.data(), size, reason);
    reason[size] = '\0';
  }
  [[noreturn]] void give_up() noexcept { std::longjmp(place, 1); }
};

/// Calls work; false where the library gave up in it. No object with a destructor may be born between here and the
/// library's frames: work holds plain values alone, and all that must be released lives outside.
template <class Work>
[[nodiscard, gnu::noinline]] bool trapped(error_trap& trap, const Work& work) {
  if (setjmp(trap.place) != 0) return false;
  work();
  return true;
}

}  // namespace anodiff::formats::detail
