// SPDX-License-Identifier: Apache-2.0
#pragma once

// What <anodiff/core/device.cuh> needs of CUDA, for a plain C++ compiler: the kernels' own source runs on the host, one
// fiber a CUDA thread, and what CUDA leaves undefined is found and named. One thread of the machine may use it.

#include <anodiff/core/half.hpp>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include "cuda_block.hpp"
#include "cuda_runtime_shim.hpp"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __forceinline__ inline

using anodiff::shim::dim3;

/// Set before a CUDA thread goes on.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace anodiff::device {

using shim::place;

/// Where the call stands whose default argument this is.
[[nodiscard]] constexpr place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
  return {file, line};
}

inline void sync_block(place at = here()) { shim::block_run::current->barrier(at); }

namespace detail {

/// The lanes of mask meet; each gets result(given of all 32 lanes, its own number), absent lanes being null.
template <class Result, class Given, class F>
[[nodiscard]] Result meet(unsigned mask, const Given& given, place at, F result) {
  static const char kind = 0;  // one for each F, so that two functions are told apart
  Result mine{};
  shim::block_run::current->collective(mask, &kind, &given, &mine, at, [&](shim::cuda_thread* warp) {
    const Given* lanes[shim::lanes_a_warp]{};
    for (unsigned k = 0; k < shim::lanes_a_warp; ++k)
      if ((mask >> k & 1U) != 0) lanes[k] = static_cast<const Given*>(warp[k].given);
    for (unsigned k = 0; k < shim::lanes_a_warp; ++k)
      if ((mask >> k & 1U) != 0) *static_cast<Result*>(warp[k].result) = result(lanes, k);
  });
  return mine;
}

inline void check_aligned(const void* p, std::size_t bytes, const place& at) {
  if (reinterpret_cast<std::uintptr_t>(p) % bytes != 0)
    shim::block_run::current->fail(at,
                                   concat("an access of ", bytes, " bytes at an address that is no multiple of it"));
}

template <class T>
[[nodiscard]] T exchange(unsigned mask, T x, unsigned from, place at) {
  struct given {
    T x;
    unsigned from;
  };
  return meet<T>(mask, given{x, from}, at, [&](const given* const* lanes, unsigned k) {
    const auto* source = lanes[lanes[k]->from];
    if (source == nullptr)
      shim::block_run::current->fail(at, concat("reads lane ", lanes[k]->from, ", which is absent"));
    return source->x;
  });
}

}  // namespace detail

inline constexpr unsigned all_lanes = 0xFFFFFFFFU;

[[nodiscard]] inline unsigned lane() noexcept { return shim::block_run::current->lane(); }

template <class T>
[[nodiscard]] T shuffle(T x, unsigned from, place at = here(), unsigned mask = all_lanes) {
  return detail::exchange(mask, x, from % shim::lanes_a_warp, at);
}
template <class T>
[[nodiscard]] T shuffle_xor(T x, unsigned bits, place at = here(), unsigned mask = all_lanes) {
  return detail::exchange(mask, x, lane() ^ bits, at);
}
/// From the lane `by` below; the lowest lanes keep their own.
template <class T>
[[nodiscard]] T shuffle_up(T x, unsigned by, place at = here(), unsigned mask = all_lanes) {
  return detail::exchange(mask, x, lane() < by ? lane() : lane() - by, at);
}
[[nodiscard]] inline unsigned ballot(bool vote, place at = here(), unsigned mask = all_lanes) {
  return detail::meet<unsigned>(mask, vote, at, [](const bool* const* lanes, unsigned) {
    unsigned votes = 0;
    for (unsigned k = 0; k < shim::lanes_a_warp; ++k)
      if (lanes[k] != nullptr && *lanes[k]) votes |= 1U << k;
    return votes;
  });
}
inline void sync_warp(place at = here(), unsigned mask = all_lanes) {
  auto& block = *shim::block_run::current;
  void* meeting = block.warp_meeting();
  block.release(meeting);
  (void)detail::meet<char>(mask, char{}, at, [](const char* const*, unsigned) { return char{}; });
  block.acquire(meeting);
}
inline void fence() {
  auto& block = *shim::block_run::current;
  block.release(block.fence_meeting());
  block.acquire(block.fence_meeting());
}

/// The block's array of type T known by Tag; two arrays of one type need two tags.
template <class T, int Tag = 0>
[[nodiscard]] T& shared(place at = here()) {
  static_assert(std::is_trivially_default_constructible_v<T>);
  static const char key = 0;
  shim::overlooked scope;
  return *static_cast<T*>(shim::block_run::current->shared().array(&key, sizeof(T), true, at));
}
/// The memory that the launch asked for.
template <class T>
[[nodiscard]] T* dynamic_shared(place at = here()) {
  static const char key = 0;
  shim::overlooked scope;
  auto& block = *shim::block_run::current;
  return static_cast<T*>(block.shared().array(&key, block.dynamic_bytes(), false, at));
}

// ---- clusters -----------------------------------------------------------------------------------------------------

/// This block's number in its cluster of neighbouring blocks.
[[nodiscard]] inline unsigned cluster_block() noexcept { return shim::block_run::current->block(); }
/// All threads of the cluster meet; what a thread has written to its block's shared memory is there for all.
inline void sync_cluster(place at = here()) { shim::block_run::current->cluster_barrier(at); }

/// Counts, in shared memory, the bytes that the cluster's blocks send to this one: a phase after the other, each of
/// which ends when the bytes expected of it have come.
struct arrivals {
  std::uint64_t state;
};
/// By one thread, before a sync_cluster().
inline void open_arrivals(arrivals& of) { shim::block_run::current->open_arrivals(&of); }
/// By one thread in each phase; bytes may come before. The phase before must have ended.
inline void expect_bytes(arrivals& of, unsigned bytes, place at = here()) {
  shim::block_run::current->expect(&of, bytes, at);
}
/// Sends a word to where `to` and `tell` lie in this block, but in the block-th of the cluster.
inline void send_word(void* to, unsigned block, std::uint32_t word, arrivals& tell, place at = here()) {
  detail::check_aligned(to, sizeof word, at);
  shim::block_run::current->send(to, block, word, &tell, at);
}
/// Waits for the end of the first, third, … phase (parity 0) or of the second, fourth, … (1), and for what was sent.
inline void wait_arrivals(arrivals& of, unsigned parity, place at = here()) {
  shim::block_run::current->wait_arrivals(&of, parity, at);
}

template <class T>
T atomic_add(T* to, T x) {
  return std::atomic_ref<T>(*to).fetch_add(x, std::memory_order_relaxed);
}
inline void atomic_max(unsigned* to, unsigned x) {
  std::atomic_ref<unsigned> ref(*to);
  unsigned seen = ref.load(std::memory_order_relaxed);
  while (seen < x && !ref.compare_exchange_weak(seen, x, std::memory_order_relaxed)) {
  }
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

[[nodiscard]] inline float fused(float a, float b, float c) noexcept { return std::fma(a, b, c); }
[[nodiscard]] inline float log2_fast(float x) noexcept { return std::log2(x); }
[[nodiscard]] inline float exp2_fast(float x) noexcept { return std::exp2(x); }
[[nodiscard]] inline float divide_fast(float a, float b) noexcept { return a / b; }
[[nodiscard]] inline float inverse_root(float x) noexcept { return 1 / std::sqrt(x); }
/// sin(pi x) and cos(pi x).
inline void sin_cos_pi(float x, float& sine, float& cosine) noexcept {
  const double angle = 3.14159265358979323846 * static_cast<double>(x);
  sine = static_cast<float>(std::sin(angle));
  cosine = static_cast<float>(std::cos(angle));
}
inline void sin_cos_pi(double x, double& sine, double& cosine) noexcept {
  sine = std::sin(3.14159265358979323846 * x);
  cosine = std::cos(3.14159265358979323846 * x);
}
[[nodiscard]] inline std::uint32_t float_bits(float x) noexcept { return std::bit_cast<std::uint32_t>(x); }
[[nodiscard]] inline float bits_float(std::uint32_t x) noexcept { return std::bit_cast<float>(x); }

[[nodiscard]] inline float half_to_float(std::uint16_t bits) noexcept { return float_from_half(bits); }
[[nodiscard]] inline std::uint16_t float_to_half(float x) noexcept { return half_from_float(x); }
[[nodiscard]] inline std::uint16_t float_to_bf16(float x) noexcept {
  if (std::isnan(x)) return 0x7FFF;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

// ---- memory -------------------------------------------------------------------------------------------------------

/// Words * 4 bytes from an address that is a multiple of as many, or of 16.
template <int Words>
void load_words(const void* from, std::uint32_t (&to)[Words], place at = here()) {
  detail::check_aligned(from, Words < 4 ? Words * 4 : 16, at);
  std::memcpy(to, from, sizeof to);
}
template <int Words>
void store_words(void* to, const std::uint32_t (&from)[Words], place at = here()) {
  detail::check_aligned(to, Words < 4 ? Words * 4 : 16, at);
  std::memcpy(to, from, sizeof from);
}

/// Begins to copy the first `bytes` of 16 bytes to shared memory, zeros behind them; both addresses multiples of 16.
inline void copy_async(void* to, const void* from, int bytes = 16, place at = here()) {
  detail::check_aligned(to, 16, at);
  detail::check_aligned(from, 16, at);
  std::array<unsigned char, 16> data{};
  if (bytes > 0) std::memcpy(data.data(), from, static_cast<std::size_t>(bytes));
  std::memset(to, shim::shared_memory::poison, 16);
  shim::overlooked scope;
  auto& t = shim::block_run::current->running();
  t.copies.push_back({to, data, t.open_group});
}
/// Closes a group of copies.
inline void commit_copies() {
  shim::overlooked scope;
  ++shim::block_run::current->running().open_group;
}
/// Waits until all groups but the latest Left have arrived, for this thread; the others need a barrier.
template <int Left>
void wait_copies() {
  auto& t = shim::block_run::current->running();
  for (const auto& c : t.copies)
    if (c.group < t.open_group - Left) std::memcpy(c.to, c.bytes.data(), 16);
  shim::overlooked scope;
  std::erase_if(t.copies, [&](const auto& c) { return c.group < t.open_group - Left; });
}

// ---- matrix fragments ---------------------------------------------------------------------------------------------

namespace detail {
[[nodiscard]] inline float bf16_of(std::uint32_t pair, int which) noexcept {
  return std::bit_cast<float>(which == 0 ? pair << 16 : pair & 0xFFFF0000U);
}
}  // namespace detail

/// c += a b, a (16, 16) and b (16, 8) in bf16, c (16, 8) in float: mma.m16n8k16. PTX ISA, "Matrix Fragments for mma
/// .m16n8k16 with floating point type": lane 4 g + t holds in a[0…3] rows g, g + 8, g, g + 8 and columns 2 t + {0, 1},
/// the same, 2 t + 8 + {0, 1}, the same; in b[0…1] rows 2 t + {0, 1} and 2 t + 8 + {0, 1} of column g; in c rows
/// g, g, g + 8, g + 8 and columns 2 t + {0, 1}, the same.
inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], place at = here()) {
  struct given {
    std::array<float, 4> c;
    std::array<std::uint32_t, 4> a;
    std::array<std::uint32_t, 2> b;
  };
  given mine{};
  std::copy(c, c + 4, mine.c.begin());
  std::copy(a, a + 4, mine.a.begin());
  std::copy(b, b + 2, mine.b.begin());
  const auto out = detail::meet<std::array<float, 4>>(all_lanes, mine, at, [](const given* const* lanes, unsigned k) {
    const auto element_a = [&](unsigned i, unsigned j) {
      return detail::bf16_of(lanes[i % 8 * 4 + j % 8 / 2]->a[i / 8 + j / 8 * 2], static_cast<int>(j % 2));
    };
    const auto element_b = [&](unsigned i, unsigned j) {
      return detail::bf16_of(lanes[j * 4 + i % 8 / 2]->b[i / 8], static_cast<int>(i % 2));
    };
    std::array<float, 4> sums{};
    for (unsigned r = 0; r < 4; ++r) {
      const unsigned i = k / 4 + r / 2 * 8, j = k % 4 * 2 + r % 2;
      float sum = lanes[k]->c[r];
      for (unsigned l = 0; l < 16; ++l) sum += element_a(i, l) * element_b(l, j);
      sums[r] = sum;
    }
    return sums;
  });
  std::copy(out.begin(), out.end(), c);
}

/// Four 8 by 8 matrices of 16-bit elements from shared memory: lane 8 m + r points to row r of matrix m, and to[m] is
/// row lane / 4, columns 2 (lane % 4) + {0, 1} of matrix m; with Transposed, of its transpose. PTX ISA, ldmatrix.
template <bool Transposed>
void load_matrices(std::uint32_t (&to)[4], const void* row, place at = here()) {
  detail::check_aligned(row, 16, at);
  std::array<std::uint16_t, 8> mine;
  std::memcpy(mine.data(), row, 16);
  using rows = std::array<std::uint16_t, 8>;
  const auto out =
      detail::meet<std::array<std::uint32_t, 4>>(all_lanes, mine, at, [](const rows* const* lanes, unsigned k) {
        std::array<std::uint32_t, 4> got{};
        for (unsigned m = 0; m < 4; ++m) {
          const auto element = [&](unsigned i, unsigned j) -> std::uint32_t {
            return Transposed ? (*lanes[8 * m + j])[i] : (*lanes[8 * m + i])[j];
          };
          got[m] = element(k / 4, k % 4 * 2) | element(k / 4, k % 4 * 2 + 1) << 16;
        }
        return got;
      });
  std::copy(out.begin(), out.end(), to);
}

// ---- launching ----------------------------------------------------------------------------------------------------

struct launch_shape {
  dim3 grid{}, block{};
  std::size_t shared_bytes = 0;
  unsigned cluster = 1;  ///< blocks, neighbours in x, that run at once and reach each other's shared memory; at most 8
};

namespace detail {

/// Runs the kernel on every block of the grid.
template <class... Parameters>
void run_blocks(const launch_shape& shape, void (*kernel)(Parameters...), const std::tuple<Parameters...>& arguments) {
  const auto [grid, block, shared_bytes, cluster] = shape;
  struct call {
    void (*kernel)(Parameters...);
    const std::tuple<Parameters...>& arguments;
  };
  const call c{kernel, arguments};
  shim::block_run run{block, shared_bytes,
                      [](const void* context) {
                        const auto& made = *static_cast<const call*>(context);
                        std::apply(made.kernel, made.arguments);
                      },
                      &c, cluster};
  shim::block_run::current = &run;
  shim::block_run::on_resume = [](unsigned k, dim3 at) {
    blockIdx = at;
    threadIdx = {k % blockDim.x, k / blockDim.x % blockDim.y, k / blockDim.x / blockDim.y};
  };
  shim::overlooked scope;
  blockDim = block;
  gridDim = grid;
  const auto clusters = grid.count() / cluster;
  const shim::schedule s = shim::chosen_schedule;
  const std::size_t step = shim::coprime_step(s.seed, clusters);
  for (std::size_t i = 0; i < clusters; ++i) {
    std::size_t n = s.order == shim::order::reverse ? clusters - 1 - i : i;
    if (s.order == shim::order::random) n = (i * step + s.seed) % clusters;
    n *= cluster;
    const auto x = static_cast<unsigned>(n % grid.x), y = static_cast<unsigned>(n / grid.x % grid.y);
    run.run({x, y, static_cast<unsigned>(n / grid.x / grid.y)}, n);
  }
  run.end_launch();
}

}  // namespace detail

/// Puts the kernel on the stream; throws shim::kernel_fault for what CUDA leaves undefined.
template <class... Parameters, class... Arguments>
void launch(stream on, const launch_shape& shape, void (*kernel)(Parameters...), const Arguments&... arguments) {
  const auto& [grid, block, shared_bytes, cluster] = shape;
  check<shim::kernel_fault>(
      block.count() >= 1 && block.count() <= 1024 && block.x <= 1024 && block.y <= 1024 && block.z <= 64,
      "launch: a block has 1 to 1024 threads, at most (1024, 1024, 64), got (", block.x, ", ", block.y, ", ", block.z,
      ")");
  check<shim::kernel_fault>(grid.count() >= 1 && grid.x <= 0x7FFFFFFFU && grid.y <= 65535 && grid.z <= 65535,
                            "launch: a grid has at least one block and at most (2^31 - 1, 65535, 65535), got (", grid.x,
                            ", ", grid.y, ", ", grid.z, ")");
  check<shim::kernel_fault>(shared_bytes <= shim::most_shared, "launch: at most ", shim::most_shared,
                            " bytes of shared memory, got ", shared_bytes);
  check<shim::kernel_fault>(cluster >= 1 && cluster <= 8 && grid.x % cluster == 0,
                            "launch: a cluster has 1 to 8 blocks, and the grid's x is a multiple of it, got ", cluster,
                            " and ", grid.x);
  const std::tuple<Parameters...> given{static_cast<Parameters>(arguments)...};
  if (on.recorded())
    shim::put_on(on, [=] { detail::run_blocks(shape, kernel, given); });
  else
    detail::run_blocks(shape, kernel, given);
}

/// Whether the device runs the kernel in clusters of this shape.
template <class... Parameters>
[[nodiscard]] bool runs_in_clusters(const launch_shape&, void (*)(Parameters...)) noexcept {
  return shim::has_clusters;
}

}  // namespace anodiff::device
