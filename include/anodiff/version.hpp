// SPDX-License-Identifier: Apache-2.0
#pragma once

// CMake reads these three lines: they are the only place that states the version.
#define ANODIFF_VERSION_MAJOR 0
#define ANODIFF_VERSION_MINOR 1
#define ANODIFF_VERSION_PATCH 0

namespace anodiff {

/// The library's version as "major.minor.patch"; it is written into every model file.
inline constexpr char version[] = "0.1.0";

}  // namespace anodiff
