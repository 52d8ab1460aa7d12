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
/// the chip. Weights and activations are bfloat16, sums float.
struct mlp_loop {
  const float* x;                       ///< (rows, row_size)
  float* y;                             ///< (rows, row_size): after the last step; may be x
  const void* weights;                  ///< from pack_mlp_weights, of the layers in order
  const float* bias;                    ///< in (width), then of each hidden layer (width), then out (row_size)
  const float* table;                   ///< (layers, levels, width): added before the activation of a hidden layer
  const mlp_step* steps;                ///< (count)
  const std::int32_t* level = nullptr;  ///< (rows): a level for each row, whatever the step's; or null
  index rows, row_size, width, layers, levels, count;
  row_noise noise{};  ///< its step comes from mlp_step; first_element must be even
};

/// Bytes of the packed matrix of a layer: whole tiles of 64 by 64.
[[nodiscard]] inline std::size_t packed_mlp_bytes(index in, index out) noexcept {
  return static_cast<std::size_t>((in + 63) / 64 * ((out + 63) / 64)) * 8192;
}

/// Appends the matrix (in, out), row-major, to a stream of 64 by 64 tiles in the order in which mlp_loop reads them:
/// columns outside, and in a tile what each lane hands to the matrix unit as 16 neighbouring bytes.
inline void pack_mlp_weights(const float* weight, index in, index out, std::vector<std::uint32_t>& to) {
  const auto element = [&](index k, index n) -> std::uint32_t {
    return k < in && n < out ? device::bfloat16_from(weight[k * out + n]).bits : 0;
  };
  for (index n = 0; n < out; n += 64)
    for (index k = 0; k < in; k += 64)
      for (index step = 0; step < 4; ++step)
        for (index pair = 0; pair < 4; ++pair)
          for (index lane = 0; lane < 32; ++lane)
            for (index word = 0; word < 4; ++word) {
              const index row = k + step * 16 + lane % 4 * 2 + word % 2 * 8;
              const index column = n + pair * 16 + word / 2 * 8 + lane / 4;
              to.push_back(element(row, column) | element(row + 1, column) << 16);
            }
}

namespace detail {

inline constexpr unsigned mlp_block = 128, mlp_rows_a_warp = 16,
                          mlp_rows = mlp_block / device::warp_size * mlp_rows_a_warp;
inline constexpr unsigned mlp_stage_bytes = 8192, mlp_stages = 4;

[[nodiscard]] constexpr std::uint32_t whole_tiles(index n) noexcept {
  return static_cast<std::uint32_t>((n + 63) / 64 * 64);
}

/// Elements between rows of activations: eight more than the widest layer, so that eight rows meet no bank twice.
[[nodiscard]] constexpr std::uint32_t mlp_stride(index row_size, index width) noexcept {
  return whole_tiles(row_size > width ? row_size : width) + 8;
}
[[nodiscard]] inline std::size_t mlp_shared_bytes(index row_size, index width) noexcept {
  return mlp_stages * mlp_stage_bytes + std::size_t{mlp_rows} * mlp_stride(row_size, width) * 2 * 2 +
         std::size_t{mlp_rows} * static_cast<std::size_t>(row_size) * sizeof(float);
}

/// The tiles of all layers as one stream that starts again with every step: while one tile is worked on, the next three
/// come. All threads of the block must ask for the same number of tiles.
class mlp_stream {
 public:
  __device__ mlp_stream(const void* from, unsigned tiles, unsigned wanted, unsigned char* buffers)
      : from_{static_cast<const unsigned char*>(from)}, tiles_{tiles}, left_{wanted}, buffers_{buffers} {
    for (unsigned k = 1; k < mlp_stages; ++k) fetch();
  }
  [[nodiscard]] __device__ __forceinline__ const unsigned char* next() {
    device::wait_copies<mlp_stages - 2>();
    device::sync_block();  // the tile is there for all, and the one before it has been read by all
    const unsigned char* ready = buffers_ + (turn_ + 1) % mlp_stages * mlp_stage_bytes;  // the oldest
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
    turn_ = (turn_ + 1) % mlp_stages;
  }
  const unsigned char* from_;
  unsigned tiles_, left_, at_ = 0, turn_ = 0;
  unsigned char* buffers_;
};

/// Calls f(row in the warp's sixteen, column, sums of this column and the next) for what this lane holds of
/// h (16, in) W (in, out), 64 columns at a time. The block meets before h is read: what was written to it is there.
template <class F>
__device__ __forceinline__ void mlp_product(mlp_stream& weights, const std::uint16_t* h, std::uint32_t stride,
                                            std::uint32_t in, std::uint32_t out, F&& f) {
  using namespace device;
  const std::uint16_t* const mine = h + lane() % 16 * stride + lane() / 16 * 8;
  for (std::uint32_t n = 0; n < out; n += 64) {
    float sum[8][4] = {};
    for (std::uint32_t k = 0; k < in; k += 64) {
      const unsigned char* const tile = weights.next();
      unrolled<4>([&](auto step) {
        std::uint32_t a[4];
        load_matrices<false>(a, mine + k + step * 16);
        unrolled<4>([&](auto pair) {
          std::uint32_t w[4];
          load_words(tile + ((step * 4 + pair) * warp_size + lane()) * 16, w);
          const std::uint32_t first[2] = {w[0], w[1]}, second[2] = {w[2], w[3]};
          mma_bf16(sum[2 * pair], a, first);
          mma_bf16(sum[2 * pair + 1], a, second);
        });
      });
    }
    unrolled<8>([&](auto tile) {
      const std::uint32_t column = n + tile * 8 + lane() % 4 * 2;
      f(lane() / 4, column, sum[tile][0], sum[tile][1]);
      f(lane() / 4 + 8, column, sum[tile][2], sum[tile][3]);
    });
  }
}

[[nodiscard]] __device__ __forceinline__ std::uint32_t bf16_pair(float a, float b) noexcept {
  return device::float_to_bf16(a) | static_cast<std::uint32_t>(device::float_to_bf16(b)) << 16;
}

/// A template so that every program may include it; T is float.
template <class T>
__global__ void __launch_bounds__(mlp_block) mlp_loop_kernel(const mlp_loop op, unsigned tiles) {
  using namespace device;
  const auto size = static_cast<std::uint32_t>(op.row_size), width = static_cast<std::uint32_t>(op.width);
  const std::uint32_t size_tiles = whole_tiles(op.row_size), width_tiles = whole_tiles(op.width),
                      stride = mlp_stride(op.row_size, op.width);
  auto* const memory = dynamic_shared<unsigned char>();
  const unsigned warp = threadIdx.x / warp_size;
  const index first = index{blockIdx.x} * mlp_rows + warp * mlp_rows_a_warp;
  auto* const h =
      reinterpret_cast<std::uint16_t*>(memory + mlp_stages * mlp_stage_bytes) + warp * 2 * mlp_rows_a_warp * stride;
  auto* const x = reinterpret_cast<T*>(memory + mlp_stages * mlp_stage_bytes + std::size_t{mlp_rows} * stride * 4) +
                  warp * mlp_rows_a_warp * size;
  const auto buffer = [&](unsigned which) { return h + which * mlp_rows_a_warp * stride; };
  mlp_stream weights{op.weights, tiles, tiles * static_cast<unsigned>(op.count), memory};

  for (std::uint32_t e = lane(); e < mlp_rows_a_warp * size; e += warp_size)
    x[e] = first + e / size < op.rows ? op.x[first * size + e] : 0;
  sync_warp();
  for (index s = 0; s < op.count; ++s) {
    const mlp_step step = op.steps[s];
    for (std::uint32_t e = lane(); e < mlp_rows_a_warp * size_tiles / 2; e += warp_size) {
      const std::uint32_t row = e / (size_tiles / 2), column = e % (size_tiles / 2) * 2;
      const T* const from = x + row * size + column;
      const std::uint32_t two = bf16_pair(column < size ? from[0] : 0, column + 1 < size ? from[1] : 0);
      store_words(buffer(0) + row * stride + column, {two});
    }
    // a row of the table for each of the two rows of this lane
    const auto level_of = [&](std::uint32_t row) {
      return static_cast<std::uint32_t>(op.level != nullptr && first + row < op.rows ? op.level[first + row]
                                                                                     : step.level);
    };
    const std::uint32_t low = level_of(lane() / 4), high = level_of(lane() / 4 + 8);
    unsigned now = 0;
    const float* bias = op.bias;
    for (index layer = -1; layer < op.layers; ++layer) {
      const float* const table = op.table + layer * op.levels * width;
      mlp_product(weights, buffer(now), stride, layer < 0 ? size_tiles : width_tiles, width_tiles,
                  [&](std::uint32_t row, std::uint32_t column, float a, float b) {
                    float v[2] = {a, b};
                    unrolled<2>([&](auto k) {
                      const std::uint32_t c = column + k;
                      if (c >= width) {
                        v[k] = 0;  // what pads a row of activations
                        return;
                      }
                      v[k] += bias[c];
                      if (layer < 0) return;
                      v[k] = activate(activation::silu, v[k] + table[(row < 8 ? low : high) * width + c]);
                    });
                    store_words(buffer(now ^ 1U) + row * stride + column, {bf16_pair(v[0], v[1])});
                  });
      now ^= 1U;
      bias += width;
    }
    noise_key key = op.noise.common();
    key.step = step.noise_step;
    mlp_product(weights, buffer(now), stride, width_tiles, size_tiles,
                [&](std::uint32_t row, std::uint32_t column, float a, float b) {
                  if (column >= size || first + row >= op.rows) return;
                  float z[2] = {};
                  if (step.wz != 0) {
                    if (op.noise.draws != nullptr) key.draw = op.noise.draws[first + row];
                    normal_pair(key, static_cast<std::uint64_t>(op.noise.first_element) + column, z);
                  }
                  const float output[2] = {a, b};
                  unrolled<2>([&](auto k) {
                    if (column + k >= size) return;
                    T& at = x[row * size + column + k];
                    const float limit = step.fold.limit;
                    float clean = fused(step.fold.state, at, step.fold.output * (output[k] + bias[column + k]));
                    if (limit > 0) clean = clean > limit ? limit : clean < -limit ? -limit : clean;
                    at = fused(step.wx, at, fused(step.wc, clean, step.wz * z[k]));
                  });
                });
    sync_warp();
  }
  for (std::uint32_t e = lane(); e < mlp_rows_a_warp * size; e += warp_size)
    if (first + e / size < op.rows) op.y[first * size + e] = x[e];
}

}  // namespace detail

/// Throws invalid_argument for a network or rows wider than mlp_loop_widest, and for noise that starts at an odd
/// element.
inline void run(const mlp_loop& op, device::stream on) {
  check(op.width >= 1 && op.width <= mlp_loop_widest && op.row_size >= 1 && op.row_size <= mlp_loop_widest,
        "cuda: mlp_loop needs a network and rows of 1 to ", mlp_loop_widest, " columns, got ", op.width, " and ",
        op.row_size);
  check(op.noise.first_element % 2 == 0, "cuda: mlp_loop's noise starts at an even element, got ",
        op.noise.first_element);
  if (op.rows <= 0) return;
  const std::size_t tiles = (packed_mlp_bytes(op.row_size, op.width) + packed_mlp_bytes(op.width, op.row_size) +
                             static_cast<std::size_t>(op.layers) * packed_mlp_bytes(op.width, op.width)) /
                            detail::mlp_stage_bytes;
  device::launch(on,
                 {device::blocks_for(op.rows, detail::mlp_rows), detail::mlp_block,
                  detail::mlp_shared_bytes(op.row_size, op.width)},
                 &detail::mlp_loop_kernel<float>, op, static_cast<unsigned>(tiles));
}

}  // namespace anodiff::ops::cuda
