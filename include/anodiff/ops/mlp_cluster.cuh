// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/mlp_loop.cuh>

namespace anodiff::ops::cuda {

/// mlp_loop for few rows, which wait for each other's layers and not for memory: the weights lie in the shared memory
/// of a cluster of eight blocks for all steps, each block works out an eighth of every layer's columns and sends it to
/// the others. A column is summed in four parts, so that the bits are not mlp_loop's; they depend on no other row.
/// Needs sm_90.
struct mlp_cluster {
  mlp_loop of;  ///< its weights from pack_cluster_weights
};

/// Blocks of a cluster, and the rows it takes.
inline constexpr unsigned mlp_cluster_blocks = 8, mlp_cluster_rows = 8;

namespace detail {

/// Bytes of a layer's weights that each block keeps.
[[nodiscard]] constexpr std::uint32_t cluster_share(std::uint32_t in, std::uint32_t out) noexcept {
  return in / 32 * (out / 64) * 512;
}
/// Bytes between rows of activations: half of all banks more than the widest layer, so that two rows never meet.
[[nodiscard]] constexpr std::uint32_t cluster_stride(std::uint32_t size, std::uint32_t width) noexcept {
  return (size > width ? size : width) * 2 + 64;
}

}  // namespace detail

/// Bytes of shared memory that each block of mlp_cluster needs.
[[nodiscard]] constexpr std::size_t mlp_cluster_bytes(index row_size, index width, index layers) noexcept {
  const std::uint32_t size = mlp_columns(row_size), wide = mlp_columns(width);
  return 2 * sizeof(std::uint64_t) + std::size_t{2} * mlp_cluster_rows * detail::cluster_stride(size, wide) +
         detail::cluster_share(size, wide) + detail::cluster_share(wide, size) +
         static_cast<std::size_t>(layers - 1) * detail::cluster_share(wide, wide);
}

/// Appends the matrix (in, out), row-major, in the order in which the cluster's blocks keep it: each eighth of the
/// columns, eight of them, 32 rows, and of those what each lane hands to the matrix unit as 16 neighbouring bytes.
inline void pack_cluster_weights(const float* weight, index in, index out, std::vector<std::uint32_t>& to) {
  for (index column = 0; column < index{mlp_columns(out)}; column += 8)
    for (index k = 0; k < index{mlp_columns(in)}; k += 32)
      for (index lane = 0; lane < 32; ++lane)
        for (index word = 0; word < 4; ++word)
          to.push_back(detail::bf16_rows(weight, in, out, k + word * 8 + lane % 4 * 2, column + lane / 4));
}

namespace detail {

/// The place in a row of activations, in bytes, of the pair at an even column: in 32 columns, what a lane hands to the
/// matrix unit lies side by side.
[[nodiscard]] __device__ __forceinline__ std::uint32_t cluster_place(std::uint32_t column) noexcept {
  return column / 32 * 64 + column % 8 / 2 * 16 + column % 32 / 8 * 4;
}

/// sum (8, 8) += h (8, in) W (in, 8), what this lane has of each: four sums in turn, so that no product waits for the
/// one before it.
__device__ __forceinline__ void cluster_product(const std::uint32_t (&w)[mlp_loop_widest / 32][4],
                                                const unsigned char* h, bool there, std::uint32_t in, float (&sum)[2]) {
  using namespace device;
  float part[4][4] = {{sum[0], sum[1]}};
  unrolled<mlp_loop_widest / 32>([&](auto k) {
    if (k * 32 >= in) return;
    std::uint32_t a[4] = {};
    if (there) load_words(h + k * 64, a);
    const std::uint32_t low[4] = {a[0], 0, a[1], 0}, high[4] = {a[2], 0, a[3], 0};
    const std::uint32_t first[2] = {w[k][0], w[k][1]}, second[2] = {w[k][2], w[k][3]};
    mma_bf16(part[k % 2 * 2], low, first);
    mma_bf16(part[k % 2 * 2 + 1], high, second);
  });
  unrolled<2>([&](auto j) { sum[j] = part[0][j] + part[1][j] + (part[2][j] + part[3][j]); });
}

/// Product after product, turn 0, 1, …: the input of a turn lies in one of two places, and counts there as arrived when
/// all blocks have sent their columns. A block that sends the input of turn t + 1 has that of turn t, which all have
/// sent behind their reading of turn t − 1's: its place is free. T is float.
template <class T>
__global__ void __launch_bounds__(mlp_block) mlp_cluster_kernel(const mlp_loop op) {
  using namespace device;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  const std::uint32_t size_tiles = mlp_columns(op.row_size), width_tiles = mlp_columns(op.width),
                      stride = cluster_stride(size_tiles, width_tiles);
  const auto layers = static_cast<std::uint32_t>(op.layers);
  const auto turns = static_cast<std::uint32_t>(op.count) * (layers + 1);
  const unsigned block = cluster_block(), warp = threadIdx.x / warp_size, row = lane() / 4;
  const index first = index{blockIdx.x / mlp_cluster_blocks} * mlp_cluster_rows;
  const auto rows = static_cast<std::uint32_t>(op.rows - first < mlp_cluster_rows ? op.rows - first : mlp_cluster_rows);
  const bool there = row < rows;

  auto* const arrived = dynamic_shared<arrivals>();
  auto* const inputs = reinterpret_cast<unsigned char*>(arrived + 2);
  const auto input = [&](std::uint32_t turn) { return inputs + turn % 2 * mlp_cluster_rows * stride; };
  auto* const weights = inputs + 2 * mlp_cluster_rows * stride;
  const auto in_of = [&](std::uint32_t layer) { return layer == 0 ? size_tiles : width_tiles; };
  const auto expect = [&](std::uint32_t turn) {
    if (threadIdx.x == 0 && turn < turns) expect_bytes(arrived[turn % 2], rows * in_of(turn % (layers + 1)) * 2);
  };

  if (threadIdx.x == 0)
    for (unsigned k = 0; k < 2; ++k) open_arrivals(arrived[k]);
  expect(1);
  expect(2);
  std::uint32_t kept = 0;
  for (std::uint32_t layer = 0; layer <= layers; ++layer) {
    const std::uint32_t share = cluster_share(in_of(layer), layer == layers ? size_tiles : width_tiles);
    const auto* const from = static_cast<const unsigned char*>(op.weights) + std::size_t{mlp_cluster_blocks} * kept +
                             std::size_t{block} * share;
    for (std::uint32_t k = threadIdx.x * 16; k < share; k += mlp_block * 16) copy_async(weights + kept + k, from + k);
    kept += share;
  }
  commit_copies();
  for (std::uint32_t e = threadIdx.x; e < rows * size_tiles / 2; e += mlp_block) {
    const std::uint32_t of = e / (size_tiles / 2), column = e % (size_tiles / 2) * 2;
    const T* const from = op.x + (first + of) * size + column;
    store_words(input(0) + of * stride + cluster_place(column),
                {bf16_pair(column < size ? from[0] : 0, column + 1 < size ? from[1] : 0)});
  }
  // this lane's two columns of a hidden layer, and of x: of its row
  const std::uint32_t wide_at = (block * (width_tiles / 64) + warp) * 8 + lane() % 4 * 2,
                      at = (block * (size_tiles / 64) + warp) * 8 + lane() % 4 * 2;
  const bool has_x = warp < size_tiles / 64 && there;
  T x[2] = {};
  float bias[2] = {};
  unrolled<2>([&](auto k) {
    if (!has_x || at + k >= size) return;
    x[k] = op.x[(first + row) * size + at + k];
    bias[k] = op.bias[at + k];
  });
  const std::int32_t own_level = op.level != nullptr && there ? op.level[first + row] : 0;
  const auto added = [&](std::uint32_t layer, std::int32_t level, float(&to)[2]) {
    if (layer == layers || warp >= width_tiles / 64) {
      unrolled<2>([&](auto k) { to[k] = bias[k]; });
      return;
    }
    std::uint32_t words[2];
    load_words(op.table + (layer * op.levels + (op.level != nullptr ? own_level : level)) * width_tiles + wide_at,
               words);
    unrolled<2>([&](auto k) { to[k] = bits_float(words[k]); });
  };
  wait_copies<0>();
  sync_cluster();

  mlp_step next = op.steps[0];
  float begin[2];
  added(0, next.level, begin);
  std::uint32_t turn = 0;
  for (index s = 0; s < op.count; ++s) {
    const mlp_step step = next;
    if (s + 1 < op.count) next = op.steps[s + 1];
    std::uint32_t share = 0;  // where the layer's weights begin
    for (std::uint32_t layer = 0; layer <= layers; ++layer, ++turn) {
      const bool last = layer == layers;
      const std::uint32_t in = in_of(layer), out = last ? size_tiles : width_tiles;
      const bool busy = warp < out / 64;
      // all that waits for no other block
      std::uint32_t w[mlp_loop_widest / 32][4];
      if (busy)
        unrolled<mlp_loop_widest / 32>([&](auto k) {
          if (k * 32 < in) load_words(weights + share + ((warp * (in / 32) + k) * warp_size + lane()) * 16, w[k]);
        });
      share += cluster_share(in, out);
      float sum[2] = {begin[0], begin[1]}, z[2] = {};
      added(last ? 0 : layer + 1, last ? next.level : step.level, begin);
      if (last && has_x && step.wz != 0) {
        noise_key key = op.noise.common();
        key.step = step.noise_step;
        if (op.noise.draws != nullptr) key.draw = op.noise.draws[first + row];
        normal_pair(key, static_cast<std::uint64_t>(op.noise.first_element + at), z);
      }
      if (turn > 0) {
        wait_arrivals(arrived[turn % 2], (turn - 1) / 2 % 2);
        expect(turn + 2);
      }
      if (!busy) continue;
      cluster_product(w, input(turn) + row * stride + lane() % 4 * 16, there, in, sum);
      std::uint32_t pair = 0;
      if (last) {
        unrolled<2>([&](auto k) {
          if (!has_x || at + k >= size) return;
          mlp_update(step, sum[k], x[k]);
          if (step.wz != 0) x[k] = fused(step.wz, z[k], x[k]);
        });
        pair = bf16_pair(x[0], x[1]);
      } else {
        pair = bf16_pair(activate(activation::silu, sum[0]), activate(activation::silu, sum[1]));
      }
      if (!there || turn + 1 == turns) continue;
      auto* const to = input(turn + 1) + row * stride + cluster_place(last ? at : wide_at);
      unrolled<mlp_cluster_blocks>([&](auto to_block) { send_word(to, to_block, pair, arrived[(turn + 1) % 2]); });
    }
  }
  unrolled<2>([&](auto k) {
    if (has_x && at + k < size) op.y[(first + row) * size + at + k] = x[k];
  });
}

[[nodiscard]] inline device::launch_shape mlp_cluster_shape(const mlp_loop& op) {
  return {mlp_cluster_blocks * device::blocks_for(op.rows, mlp_cluster_rows), mlp_block,
          mlp_cluster_bytes(op.row_size, op.width, op.layers), mlp_cluster_blocks};
}

}  // namespace detail

/// Whether the device runs mlp_cluster for such a network.
[[nodiscard]] inline bool runs_in_clusters(const mlp_loop& op) {
  return device::runs_in_clusters(detail::mlp_cluster_shape(op), &detail::mlp_cluster_kernel<float>);
}

/// Throws as mlp_loop's run().
inline void run(const mlp_cluster& op, device::stream on) {
  detail::check_mlp(op.of);
  if (op.of.rows <= 0 || op.of.count <= 0) return;
  device::launch(on, detail::mlp_cluster_shape(op.of), &detail::mlp_cluster_kernel<float>, op.of);
}

}  // namespace anodiff::ops::cuda
