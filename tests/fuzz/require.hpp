// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

/// A finding: thrown where a law that a fuzz target states does not hold; no anodiff::error, so nothing catches it.
inline void require(bool holds, const char* law) {
  if (!holds) throw std::logic_error(law);
}
