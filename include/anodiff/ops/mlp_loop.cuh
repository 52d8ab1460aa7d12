// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/noise.cuh>
#include <vector>

namespace anodiff::ops::cuda {

/// One step of a reverse process that needs no past estimates: the network at a level gives F, then clean =
/// fold(x, F) and x ← wx x + wc clean + wz z, as in ops::combine.
struct mlp_step {
  std::int32_t level = 0;  ///< row of the table, unless rows have levels of their own
  fold_weights<float> fold{};
  float wx = 0, wc = 1, wz = 0;
  std::uint32_t noise_step = 0;
};

/// Widest network and largest row of mlp_loop.
inline constexpr index mlp_loop_widest = 256;

/// Steps of an mlp (models/mlp.hpp) from start to end in one launch: rows, activations and weights in flight stay on
/// the chip. Weights and activations are bfloat16, sums float. Nothing stands between the network's first projection
/// and its first hidden layer, so that the two come here as one product.
struct mlp_loop {
  const float* x;         ///< (rows, row_size)
  float* y;               ///< (rows, row_size): after the last step; may be x
  const void* weights;    ///< from pack_mlp_weights: (row_size, width), layers − 1 times (width, width),
                          ///< (width, row_size)
  const float* bias;      ///< (row_size), of the last layer
  const float* table;     ///< (layers, levels, mlp_columns(width)): all that a hidden layer adds to its
                          ///< product before its activation; behind the width what is finite
  const mlp_step* steps;  ///< (count)
  const std::int32_t* level = nullptr;  ///< (rows): a level for each row, whatever the step's; or null
  index rows, row_size, width;
  index layers;  ///< hidden ones, at least 1
  index levels, count;
  row_noise noise{};  ///< its step comes from mlp_step; first_element must be even
};

/// Columns of n in whole tiles of 64.
[[nodiscard]] constexpr std::uint32_t mlp_columns(index n) noexcept {
  return static_cast<std::uint32_t>((n + 63) / 64 * 64);
}

/// Bytes of the packed matrix of a layer: whole tiles of 64 by 64, in bfloat16.
[[nodiscard]] constexpr std::size_t packed_mlp_bytes(index in, index out) noexcept {
  return std::size_t{mlp_columns(in)} * mlp_columns(out) * 2;
}

namespace detail {

/// Elements (row, column) and (row + 1, column) of a matrix (in, out), zero outside of it.
[[nodiscard]] inline std::uint32_t bf16_rows(const float* weight, index in, index out, index row, index column) {
  const auto element = [&](index k) -> std::uint32_t {
    return k < in && column < out ? device::bfloat16_from(weight[k * out + column]).bits : 0;
  };
  return element(row) | element(row + 1) << 16;
}

}  // namespace detail

/// Appends the matrix (in, out), row-major, to a stream of 64 by 64 tiles in the order in which mlp_loop reads them:
/// columns outside, and in a tile what each lane hands to the matrix unit as 16 neighbouring bytes.
inline void pack_mlp_weights(const float* weight, index in, index out, std::vector<std::uint32_t>& to) {
  for (index n = 0; n < out; n += 64)
    for (index k = 0; k < in; k += 64)
      for (index step = 0; step < 4; ++step)
        for (index pair = 0; pair < 4; ++pair)
          for (index lane = 0; lane < 32; ++lane)
            for (index word = 0; word < 4; ++word) {
              const index row = k + step * 16 + lane % 4 * 2 + word % 2 * 8;
              const index column = n + pair * 16 + word / 2 * 8 + lane / 4;
              to.push_back(detail::bf16_rows(weight, in, out, row, column));
            }
}

namespace detail {

inline constexpr unsigned mlp_block = 128, mlp_warps = mlp_block / device::warp_size;
inline constexpr unsigned mlp_stage_bytes = 8192;

/// How a block shares out its work: a warp has Tiles times sixteen rows, for which it reads each weight once.
template <unsigned Tiles>
struct mlp_shape {
  static constexpr unsigned rows_a_warp = 16 * Tiles, rows = mlp_warps * rows_a_warp;
  static constexpr unsigned stages = Tiles == 1 ? 4 : 3;  ///< with three, two blocks of 128 rows of 256 fit
};
/// Rows from which warps take thirty-two: as many as fill an H100's 132 multiprocessors once. The bits are the same.
inline constexpr index mlp_many_rows = index{132} * mlp_shape<2>::rows;

/// Elements between rows of activations: eight more than the widest layer, so that eight rows meet no bank twice.
[[nodiscard]] constexpr std::uint32_t mlp_stride(index row_size, index width) noexcept {
  return mlp_columns(row_size > width ? row_size : width) + 8;
}
template <unsigned Tiles>
[[nodiscard]] constexpr std::size_t mlp_shared_bytes(index row_size, index width) noexcept {
  using shape = mlp_shape<Tiles>;
  return shape::stages * mlp_stage_bytes + std::size_t{shape::rows} * mlp_stride(row_size, width) * 2 +
         std::size_t{shape::rows} * static_cast<std::size_t>(row_size) * sizeof(float);
}

/// The tiles of all layers as one stream that starts again with every step: while one tile is worked on, the next ones
/// come. All threads of the block must ask for the same number of tiles.
template <unsigned Stages>
class mlp_stream {
 public:
  __device__ mlp_stream(const void* from, unsigned tiles, unsigned wanted, unsigned char* buffers)
      : from_{static_cast<const unsigned char*>(from)}, tiles_{tiles}, left_{wanted}, buffers_{buffers} {
    for (unsigned k = 1; k < Stages; ++k) fetch();
  }
  [[nodiscard]] __device__ __forceinline__ const unsigned char* next() {
    device::wait_copies<Stages - 2>();
    device::sync_block();  // the tile is there for all, and the one before it has been read by all
    const unsigned char* ready = buffers_ + (turn_ + 1) % Stages * mlp_stage_bytes;  // the oldest
    fetch();
    return ready;
  }

 private:
  __device__ __forceinline__ void fetch() {
    if (left_ != 0) {
      --left_;
      const unsigned char* tile = from_ + std::size_t{at_} * mlp_stage_bytes;
      for (unsigned k = threadIdx.x * 16; k < mlp_stage_bytes; k += mlp_block * 16)
        device::copy_async(buffers_ + turn_ * mlp_stage_bytes + k, tile + k);
      at_ = at_ + 1 == tiles_ ? 0 : at_ + 1;
    }
    device::commit_copies();
    turn_ = (turn_ + 1) % Stages;
  }
  const unsigned char* from_;
  unsigned tiles_, left_, at_ = 0, turn_ = 0;
  unsigned char* buffers_;
};

/// For what this lane holds of h (16 Tiles, in) W (in, out), 64 columns at a time, begin(which, column, a, b) says what
/// the sums of this column and the next begin with, and end(which, column, a, b) takes the sums; their row is the
/// lane / 4-th of the which-th eight. All of h is read before the first end(), which may write there.
template <unsigned Tiles, class Begin, class End>
__device__ __forceinline__ void mlp_product(mlp_stream<mlp_shape<Tiles>::stages>& weights, const std::uint16_t* h,
                                            std::uint32_t stride, std::uint32_t in, std::uint32_t out, Begin&& begin,
                                            End&& end) {
  using namespace device;
  sync_warp();  // what the lanes have written to h
  const std::uint16_t* const mine = h + lane() % 16 * stride + lane() / 16 * 8;
  std::uint32_t a[Tiles][mlp_loop_widest / 16][4];
  unrolled<mlp_loop_widest / 16>([&](auto k) {
    if (k * 16 < in) unrolled<Tiles>([&](auto t) { load_matrices<false>(a[t][k], mine + t * 16 * stride + k * 16); });
  });
  for (std::uint32_t n = 0; n < out; n += 64) {
    float sum[Tiles][8][4];
    const auto each = [&](auto&& f) {
      unrolled<2 * Tiles>([&](auto which) {
        unrolled<8>([&](auto tile) {
          auto& of = sum[which / 2][tile];
          f(which, index{n} + lane() % 4 * 2 + tile * 8, of[which % 2 * 2], of[which % 2 * 2 + 1]);
        });
      });
    };
    each(begin);
    unrolled<mlp_loop_widest / 64>([&](auto k) {
      if (k * 64 >= in) return;
      const unsigned char* const tile = weights.next();
      unrolled<4>([&](auto step) {
        unrolled<4>([&](auto pair) {
          std::uint32_t w[4];
          load_words(tile + ((step * 4 + pair) * warp_size + lane()) * 16, w);
          const std::uint32_t first[2] = {w[0], w[1]}, second[2] = {w[2], w[3]};
          unrolled<Tiles>([&](auto t) {
            mma_bf16(sum[t][2 * pair], a[t][k * 4 + step], first);
            mma_bf16(sum[t][2 * pair + 1], a[t][k * 4 + step], second);
          });
        });
      });
    });
    each(end);
  }
}

[[nodiscard]] __device__ __forceinline__ std::uint32_t bf16_pair(float a, float b) noexcept {
  return device::float_to_bf16(a) | static_cast<std::uint32_t>(device::float_to_bf16(b)) << 16;
}

/// The step's new x, without its noise, for what the network gives for it.
__device__ __forceinline__ void mlp_update(const mlp_step& step, float output, float& x) noexcept {
  const float limit = step.fold.limit;
  float clean = device::fused(step.fold.state, x, step.fold.output * output);
  if (limit > 0) clean = clean > limit ? limit : clean < -limit ? -limit : clean;
  x = device::fused(step.wx, x, step.wc * clean);
}

/// A template so that every program may include it; T is float.
template <unsigned Tiles, class T>
__global__ void __launch_bounds__(mlp_block) mlp_loop_kernel(const mlp_loop op, unsigned tiles) {
  using namespace device;
  using shape = mlp_shape<Tiles>;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  const std::uint32_t size_tiles = mlp_columns(op.row_size), width_tiles = mlp_columns(op.width),
                      stride = mlp_stride(op.row_size, op.width);
  auto* const memory = dynamic_shared<unsigned char>();
  auto* const rows = memory + shape::stages * mlp_stage_bytes;
  const unsigned warp = threadIdx.x / warp_size;
  const index first = index{blockIdx.x} * shape::rows + warp * shape::rows_a_warp;
  auto* const h = reinterpret_cast<std::uint16_t*>(rows) + warp * shape::rows_a_warp * stride;
  auto* const x = reinterpret_cast<T*>(rows + std::size_t{shape::rows} * stride * 2) + warp * shape::rows_a_warp * size;
  mlp_stream<shape::stages> weights{op.weights, tiles, tiles * static_cast<unsigned>(op.count), memory};

  for (std::uint32_t e = lane(); e < shape::rows_a_warp * size; e += warp_size)
    x[e] = first + e / size < op.rows ? op.x[first * size + e] : 0;
  sync_warp();
  for (index s = 0; s < op.count; ++s) {
    const mlp_step step = op.steps[s];
    for (std::uint32_t e = lane(); e < shape::rows_a_warp * size_tiles / 2; e += warp_size) {
      const std::uint32_t row = e / (size_tiles / 2), column = e % (size_tiles / 2) * 2;
      const T* const from = x + row * size + column;
      const std::uint32_t two = bf16_pair(column < size ? from[0] : 0, column + 1 < size ? from[1] : 0);
      store_words(h + row * stride + column, {two});
    }
    std::uint32_t level[2 * Tiles];  // where the rows of the table begin that this lane's rows need
    unrolled<2 * Tiles>([&](auto which) {
      const index row = first + which * 8 + lane() / 4;
      level[which] =
          static_cast<std::uint32_t>(op.level != nullptr && row < op.rows ? op.level[row] : step.level) * width_tiles;
    });
    for (index layer = 0; layer < op.layers; ++layer) {
      const float* const from = op.table + layer * op.levels * width_tiles;
      mlp_product<Tiles>(
          weights, h, stride, layer == 0 ? size_tiles : width_tiles, width_tiles,
          [&](auto which, index column, float& a, float& b) {
            std::uint32_t added[2];
            load_words(from + level[which] + column, added);
            a = bits_float(added[0]);
            b = bits_float(added[1]);
          },
          [&](auto which, index column, float a, float b) {
            const auto pair = bf16_pair(activate(activation::silu, a), activate(activation::silu, b));
            store_words(h + (which * 8 + lane() / 4) * stride + column, {pair});
          });
    }
    mlp_product<Tiles>(
        weights, h, stride, width_tiles, size_tiles,
        [&](auto, index column, float& a, float& b) {
          a = column < size ? op.bias[column] : 0;
          b = column + 1 < size ? op.bias[column + 1] : 0;
        },
        [&](auto which, index column, float a, float b) {
          const std::uint32_t row = which * 8 + lane() / 4;
          if (column >= size || first + row >= op.rows) return;
          const float output[2] = {a, b};
          unrolled<2>([&](auto k) {
            if (column + k < size) mlp_update(step, output[k], x[row * size + column + k]);
          });
        });
    sync_warp();
    if (step.wz == 0) continue;
    noise_key key = op.noise.common();
    key.step = step.noise_step;
    const std::uint32_t pairs = (size + 1) / 2;
    for (std::uint32_t e = lane(); e < shape::rows_a_warp * pairs; e += warp_size) {
      const std::uint32_t row = e / pairs, column = e % pairs * 2;
      if (first + row >= op.rows) break;
      if (op.noise.draws != nullptr) key.draw = op.noise.draws[first + row];
      float z[2];
      normal_pair(key, static_cast<std::uint64_t>(op.noise.first_element + column), z);
      T* const at = x + row * size + column;
      at[0] = fused(step.wz, z[0], at[0]);
      if (column + 1 < size) at[1] = fused(step.wz, z[1], at[1]);
    }
    sync_warp();
  }
  for (std::uint32_t e = lane(); e < shape::rows_a_warp * size; e += warp_size)
    if (first + e / size < op.rows) op.y[first * size + e] = x[e];
}

template <unsigned Tiles>
void launch_mlp_loop(const mlp_loop& op, device::stream on) {
  const std::size_t tiles = (packed_mlp_bytes(op.row_size, op.width) + packed_mlp_bytes(op.width, op.row_size) +
                             static_cast<std::size_t>(op.layers - 1) * packed_mlp_bytes(op.width, op.width)) /
                            mlp_stage_bytes;
  device::launch(
      on,
      {device::blocks_for(op.rows, mlp_shape<Tiles>::rows), mlp_block, mlp_shared_bytes<Tiles>(op.row_size, op.width)},
      &mlp_loop_kernel<Tiles, float>, op, static_cast<unsigned>(tiles));
}

inline void check_mlp(const mlp_loop& op) {
  check(op.width >= 1 && op.width <= mlp_loop_widest && op.row_size >= 1 && op.row_size <= mlp_loop_widest,
        "cuda: mlp_loop needs a network and rows of 1 to ", mlp_loop_widest, " columns, got ", op.width, " and ",
        op.row_size);
  check(op.noise.first_element % 2 == 0, "cuda: mlp_loop's noise starts at an even element, got ",
        op.noise.first_element);
}

}  // namespace detail

/// Throws invalid_argument for a network or rows wider than mlp_loop_widest, and for noise that starts at an odd
/// element.
inline void run(const mlp_loop& op, device::stream on) {
  detail::check_mlp(op);
  if (op.rows <= 0) return;
  if (op.rows >= detail::mlp_many_rows)
    detail::launch_mlp_loop<2>(op, on);
  else
    detail::launch_mlp_loop<1>(op, on);
}

}  // namespace anodiff::ops::cuda
