// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/scaled_sum.hpp>

namespace anodiff::ops::cuda {

namespace detail {

struct scaled_sum_work {
  static constexpr int lanes = device::lanes_of<float>;
  scaled_sum<float> op;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float y[lanes], more[lanes] = {};
    device::load<Wide>(op.a + at, left, y);
    if (op.b != nullptr) device::load<Wide>(op.b + at, left, more);
    device::unrolled<lanes>([&](auto k) { y[k] = (y[k] + more[k]) * op.scale; });
    if (op.accumulate) {
      device::load<Wide>(op.y + at, left, more);
      device::unrolled<lanes>([&](auto k) { y[k] += more[k]; });
    }
    device::store<Wide>(op.y + at, left, y);
  }
};

}  // namespace detail

inline void run(const scaled_sum<float>& op, device::stream on) {
  detail::for_each_element(detail::scaled_sum_work{op}, op.count, on, op.a, op.b, op.y);
}

}  // namespace anodiff::ops::cuda
