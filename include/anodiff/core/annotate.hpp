// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks a function that runs on the host and, under nvcc, on the device as well.
#if defined(__CUDACC__)
#define ANODIFF_HD __host__ __device__
#else
#define ANODIFF_HD
#endif

#define ANODIFF_RESTRICT __restrict__
#define ANODIFF_ALWAYS_INLINE inline __attribute__((always_inline))
