// SPDX-License-Identifier: Apache-2.0
#pragma once

// What <anodiff/core/device.cuh> needs of CUDA, from CUDA itself; all assembly of the library is here. The host's
// stand-in with the same names is tests/support/cuda_shim.hpp, which also says what each one does.

#include <cuda_runtime.h>

#include <anodiff/core/runtime_cuda.cuh>
#include <cstdint>

namespace anodiff::device {

struct place {};
__host__ __device__ constexpr place here() noexcept { return {}; }

__device__ __forceinline__ void sync_block(place = here()) { __syncthreads(); }

inline constexpr unsigned all_lanes = 0xFFFFFFFFU;
__device__ __forceinline__ unsigned lane() noexcept {
  unsigned id;
  asm("mov.u32 %0, %%laneid;" : "=r"(id));
  return id;
}
template <class T>
[[nodiscard]] __device__ __forceinline__ T shuffle(T x, unsigned from, place = here(), unsigned mask = all_lanes) {
  return __shfl_sync(mask, x, static_cast<int>(from));
}
template <class T>
[[nodiscard]] __device__ __forceinline__ T shuffle_xor(T x, unsigned bits, place = here(), unsigned mask = all_lanes) {
  return __shfl_xor_sync(mask, x, static_cast<int>(bits));
}
template <class T>
[[nodiscard]] __device__ __forceinline__ T shuffle_up(T x, unsigned by, place = here(), unsigned mask = all_lanes) {
  return __shfl_up_sync(mask, x, by);
}
[[nodiscard]] __device__ __forceinline__ unsigned ballot(bool vote, place = here(), unsigned mask = all_lanes) {
  return __ballot_sync(mask, vote);
}
__device__ __forceinline__ void sync_warp(place = here(), unsigned mask = all_lanes) { __syncwarp(mask); }
__device__ __forceinline__ void fence() { __threadfence(); }

template <class T, int Tag = 0>
[[nodiscard]] __device__ __forceinline__ T& shared(place = here()) {
  __shared__ __align__(16) T array;
  return array;
}
template <class T>
[[nodiscard]] __device__ __forceinline__ T* dynamic_shared(place = here()) {
  extern __shared__ __align__(16) unsigned char anodiff_dynamic_shared[];
  return reinterpret_cast<T*>(anodiff_dynamic_shared);
}

// ---- clusters: sm_90 and later; elsewhere a kernel that calls them stops -------------------------------------------

struct arrivals {
  std::uint64_t state;
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
[[nodiscard]] __device__ __forceinline__ unsigned cluster_block() noexcept { return 0; }
__device__ __forceinline__ void sync_cluster(place = here()) { __trap(); }
__device__ __forceinline__ void open_arrivals(arrivals&) {}
__device__ __forceinline__ void expect_bytes(arrivals&, unsigned, place = here()) {}
__device__ __forceinline__ void send_word(void*, unsigned, std::uint32_t, arrivals&, place = here()) {}
__device__ __forceinline__ void wait_arrivals(arrivals&, unsigned, place = here()) {}
#else
namespace detail {
[[nodiscard]] __device__ __forceinline__ unsigned shared_address(const void* p) noexcept {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
[[nodiscard]] __device__ __forceinline__ unsigned mapped(unsigned address, unsigned block) noexcept {
  unsigned there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address), "r"(block));
  return there;
}
}  // namespace detail

[[nodiscard]] __device__ __forceinline__ unsigned cluster_block() noexcept {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
__device__ __forceinline__ void sync_cluster(place = here()) {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ __forceinline__ void open_arrivals(arrivals& of) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(detail::shared_address(&of)) : "memory");
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void expect_bytes(arrivals& of, unsigned bytes, place = here()) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(detail::shared_address(&of)), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void send_word(void* to, unsigned block, std::uint32_t word, arrivals& tell,
                                          place = here()) {
  asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1, [%2];" ::"r"(
                   detail::mapped(detail::shared_address(to), block)),
               "r"(word), "r"(detail::mapped(detail::shared_address(&tell), block))
               : "memory");
}
__device__ __forceinline__ void wait_arrivals(arrivals& of, unsigned parity, place = here()) {
  asm volatile(
      "{\n\t.reg .pred over;\n\t"
      "again: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 over, [%0], %1;\n\t"
      "@!over bra again;\n\t}" ::"r"(detail::shared_address(&of)),
      "r"(parity)
      : "memory");
}
#endif

template <class T>
__device__ __forceinline__ T atomic_add(T* to, T x) {
  return atomicAdd(to, x);
}
__device__ __forceinline__ void atomic_max(unsigned* to, unsigned x) { atomicMax(to, x); }

// ---- arithmetic ---------------------------------------------------------------------------------------------------

[[nodiscard]] __device__ __forceinline__ float fused(float a, float b, float c) noexcept { return __fmaf_rn(a, b, c); }
[[nodiscard]] __device__ __forceinline__ float log2_fast(float x) noexcept { return __log2f(x); }
[[nodiscard]] __device__ __forceinline__ float exp2_fast(float x) noexcept {
  float y;
  asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
[[nodiscard]] __device__ __forceinline__ float divide_fast(float a, float b) noexcept { return __fdividef(a, b); }
[[nodiscard]] __device__ __forceinline__ float inverse_root(float x) noexcept { return rsqrtf(x); }
__device__ __forceinline__ void sin_cos_pi(float x, float& sine, float& cosine) noexcept {
  sincospif(x, &sine, &cosine);
}
__device__ __forceinline__ void sin_cos_pi(double x, double& sine, double& cosine) noexcept {
  sincospi(x, &sine, &cosine);
}
[[nodiscard]] __device__ __forceinline__ std::uint32_t float_bits(float x) noexcept { return __float_as_uint(x); }
[[nodiscard]] __device__ __forceinline__ float bits_float(std::uint32_t x) noexcept { return __uint_as_float(x); }

[[nodiscard]] __device__ __forceinline__ float half_to_float(std::uint16_t bits) noexcept {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}
[[nodiscard]] __device__ __forceinline__ std::uint16_t float_to_half(float x) noexcept {
  std::uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
[[nodiscard]] __device__ __forceinline__ std::uint16_t float_to_bf16(float x) noexcept {
  std::uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

// ---- memory -------------------------------------------------------------------------------------------------------

template <int Words>
__device__ __forceinline__ void load_words(const void* from, std::uint32_t (&to)[Words], place = here()) {
  static_assert(Words == 1 || Words == 2 || Words % 4 == 0);
  if constexpr (Words == 1) {
    to[0] = *static_cast<const std::uint32_t*>(from);
  } else if constexpr (Words == 2) {
    const uint2 v = *static_cast<const uint2*>(from);
    to[0] = v.x;
    to[1] = v.y;
  } else {
    for (int k = 0; k < Words / 4; ++k) {
      const uint4 v = static_cast<const uint4*>(from)[k];
      to[4 * k] = v.x;
      to[4 * k + 1] = v.y;
      to[4 * k + 2] = v.z;
      to[4 * k + 3] = v.w;
    }
  }
}
template <int Words>
__device__ __forceinline__ void store_words(void* to, const std::uint32_t (&from)[Words], place = here()) {
  static_assert(Words == 1 || Words == 2 || Words % 4 == 0);
  if constexpr (Words == 1) {
    *static_cast<std::uint32_t*>(to) = from[0];
  } else if constexpr (Words == 2) {
    *static_cast<uint2*>(to) = make_uint2(from[0], from[1]);
  } else {
    for (int k = 0; k < Words / 4; ++k)
      static_cast<uint4*>(to)[k] = make_uint4(from[4 * k], from[4 * k + 1], from[4 * k + 2], from[4 * k + 3]);
  }
}

__device__ __forceinline__ void copy_async(void* to, const void* from, int bytes = 16, place = here()) {
  const auto shared_address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address), "l"(from), "r"(bytes) : "memory");
}
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Left>
__device__ __forceinline__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Left) : "memory");
}

// ---- matrix fragments ---------------------------------------------------------------------------------------------

__device__ __forceinline__ void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                                         place = here()) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <bool Transposed>
__device__ __forceinline__ void load_matrices(std::uint32_t (&to)[4], const void* row, place = here()) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
}

// ---- launching ----------------------------------------------------------------------------------------------------

struct launch_shape {
  dim3 grid{}, block{};
  std::size_t shared_bytes = 0;
  unsigned cluster = 1;
};

/// For hunting: every launch then waits for its end, so that an error is thrown where it arose.
inline bool launch_synchronously = false;

namespace detail {

/// Grants the kernel the shared memory it needs. The result points to `cluster`.
template <class... Parameters>
[[nodiscard]] cudaLaunchConfig_t launch_config(const launch_shape& shape, void (*kernel)(Parameters...),
                                               cudaLaunchAttribute& cluster) {
  constexpr std::size_t granted_always = 48 << 10;
  if (shape.shared_bytes > granted_always)
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)));
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  if (shape.cluster > 1) {
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = shape.cluster;
    cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    config.attrs = &cluster;
    config.numAttrs = 1;
  }
  return config;
}

}  // namespace detail

/// Whether the device runs the kernel in clusters of this shape: it can, and the kernel was compiled for one that can.
template <class... Parameters>
[[nodiscard]] bool runs_in_clusters(const launch_shape& shape, void (*kernel)(Parameters...)) {
  int device = 0, major = 0, most = 0, count = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  cudaFuncAttributes made{};
  check(cudaFuncGetAttributes(&made, reinterpret_cast<const void*>(kernel)));
  if (major < 9 || made.ptxVersion < 90 || shape.shared_bytes > static_cast<std::size_t>(most)) return false;
  cudaLaunchAttribute cluster{};
  const auto config = detail::launch_config(shape, kernel, cluster);
  const auto code = cudaOccupancyMaxActiveClusters(&count, kernel, &config);
  if (code != cudaSuccess) (void)cudaGetLastError();
  return code == cudaSuccess && count >= 1;
}

/// Puts the kernel on the stream; arguments are converted to its parameters. Throws cuda_error.
template <class... Parameters, class... Arguments>
void launch(stream on, const launch_shape& shape, void (*kernel)(Parameters...), const Arguments&... arguments) {
  cudaLaunchAttribute cluster{};
  auto config = detail::launch_config(shape, kernel, cluster);
  config.stream = on;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...));
  check(cudaPeekAtLastError());
  if (launch_synchronously) check(cudaStreamSynchronize(on));
}

}  // namespace anodiff::device
