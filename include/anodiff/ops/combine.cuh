// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/noise.cuh>
#include <anodiff/ops/row_distance.hpp>

namespace anodiff::ops::cuda {

/// A score that grows over the steps: evidence += weight d(clean, target), element by element.
template <class X>
struct running_score {
  const X* target = nullptr;  ///< (rows, row_size)
  float* evidence = nullptr;  ///< (rows, row_size), or null where no score is kept
  float weight = 1;
  distance_kind kind = distance_kind::l2;
};

/// ops::combine with the states in X and the network's output in F, each float, device::half or device::bfloat16;
/// weights and arithmetic are float. Error: combine_bound, normal_bound and one rounding to X.
template <class X, class F = X>
struct mixed_combine {
  const X* x;
  const F* output;
  const X* saved = nullptr;
  const X* past[past_slots] = {};
  X* clean = nullptr;
  X* next;
  index rows, row_size;
  fold_weights<float> fold{};
  float wx = 0, ws = 0, wc = 0, wz = 0;
  float wp[past_slots] = {};
  row_noise noise{};
  running_score<X> score{};
};

namespace detail {

template <bool Wide, class X, class F>
__global__ void __launch_bounds__(elementwise_block)
    combine_kernel(const mixed_combine<X, F> op, std::uint32_t count, const noise_source noise) {
  using namespace device;
  constexpr int lanes = lanes_of<X>;
  const std::uint32_t at = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (at >= count) return;
  const std::uint32_t left = count - at;
  float clean[lanes] = {}, next[lanes] = {}, term[lanes];
  const auto add = [&](float weight, float(&to)[lanes]) {
    unrolled<lanes>([&](auto k) { to[k] = fused(weight, term[k], to[k]); });
  };
  if (op.fold.state != 0 || op.wx != 0) {
    load<Wide>(op.x + at, left, term);
    if (op.fold.state != 0) add(op.fold.state, clean);
    if (op.wx != 0) add(op.wx, next);
  }
  if (op.fold.output != 0) {
    load<Wide>(op.output + at, left, term);
    add(op.fold.output, clean);
  }
  if (op.fold.limit > 0)
    unrolled<lanes>([&](auto k) {  // NaN passes
      clean[k] = clean[k] > op.fold.limit ? op.fold.limit : clean[k] < -op.fold.limit ? -op.fold.limit : clean[k];
    });
  if (op.score.evidence != nullptr) {
    float sum[lanes];
    load<Wide>(op.score.target + at, left, term);
    load<Wide>(op.score.evidence + at, left, sum);
    unrolled<lanes>([&](auto k) {
      const float e = clean[k] - term[k];
      sum[k] = fused(op.score.weight, op.score.kind == distance_kind::l1 ? fabsf(e) : e * e, sum[k]);
    });
    store<Wide>(op.score.evidence + at, left, sum);
  }
  if (op.next != nullptr) {
    if (op.wc != 0) unrolled<lanes>([&](auto k) { next[k] = fused(op.wc, clean[k], next[k]); });
    if (op.ws != 0) {
      load<Wide>(op.saved + at, left, term);
      add(op.ws, next);
    }
    unrolled<past_slots>([&](auto slot) {
      if (op.wp[slot] == 0) return;
      load<Wide>(op.past[slot] + at, left, term);
      add(op.wp[slot], next);
    });
    if (op.wz != 0) {
      draw_normals(noise, at, left, term);
      add(op.wz, next);
    }
  }
  if (op.clean != nullptr) store<Wide>(op.clean + at, left, clean);
  if (op.next != nullptr) store<Wide>(op.next + at, left, next);
}

}  // namespace detail

template <class X, class F>
void run(const mixed_combine<X, F>& op, device::stream on) {
  constexpr int lanes = device::lanes_of<X>;
  detail::for_each_countable(op.rows, op.row_size, [&](index first, index rows) {
    const index skip = first * op.row_size;
    mixed_combine<X, F> piece = op;
    piece.x = detail::advanced(op.x, skip);
    piece.output = detail::advanced(op.output, skip);
    piece.saved = detail::advanced(op.saved, skip);
    piece.clean = detail::advanced(op.clean, skip);
    piece.next = detail::advanced(op.next, skip);
    piece.score.target = detail::advanced(op.score.target, skip);
    piece.score.evidence = detail::advanced(op.score.evidence, skip);
    bool wide = device::aligned(piece.x) && device::aligned(piece.output) && device::aligned(piece.saved) &&
                device::aligned(piece.clean) && device::aligned(piece.next) && device::aligned(piece.score.target) &&
                device::aligned(piece.score.evidence);
    for (auto& past : piece.past) {
      past = detail::advanced(past, skip);
      wide = wide && device::aligned(past);
    }
    const index count = rows * op.row_size;
    device::launch(
        on, {device::blocks_for((count + lanes - 1) / lanes, detail::elementwise_block), detail::elementwise_block},
        wide ? &detail::combine_kernel<true, X, F> : &detail::combine_kernel<false, X, F>, piece,
        static_cast<std::uint32_t>(count), detail::noise_source{detail::from_row(op.noise, first), op.row_size, lanes});
  });
}

inline void run(const combine<float>& op, device::stream on) {
  run(mixed_combine<float>{.x = op.x,
                           .output = op.output,
                           .saved = op.saved,
                           .past = {op.past[0], op.past[1], op.past[2]},
                           .clean = op.clean,
                           .next = op.next,
                           .rows = op.rows,
                           .row_size = op.row_size,
                           .fold = op.fold,
                           .wx = op.wx,
                           .ws = op.ws,
                           .wc = op.wc,
                           .wz = op.wz,
                           .wp = {op.wp[0], op.wp[1], op.wp[2]},
                           .noise = op.noise},
      on);
}

}  // namespace anodiff::ops::cuda
