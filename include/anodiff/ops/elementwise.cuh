// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/device.cuh>
#include <anodiff/ops/elementwise.hpp>

namespace anodiff::ops::cuda {

/// *to = value, in the order of the stream: for what a recorded operation reads.
template <class T>
struct set_value {
  T* to;
  T value;
};

namespace detail {

inline constexpr unsigned elementwise_block = 256;

/// work.run<Wide>(at, left) sees to the elements at … at + Work::lanes - 1, or to the first `left` of them.
template <bool Wide, class Work>
__global__ void __launch_bounds__(elementwise_block) elementwise_kernel(const Work work, std::size_t count) {
  const std::size_t at = (std::size_t{blockIdx.x} * elementwise_block + threadIdx.x) * Work::lanes;
  if (at >= count) return;
  work.template run<Wide>(at, static_cast<std::uint32_t>(count - at < Work::lanes ? count - at : Work::lanes));
}

/// Wide accesses where all the pointers are aligned; a null pointer is.
template <class Work, class... Pointers>
void for_each_element(const Work& work, index count, device::stream on, const Pointers*... pointers) {
  if (count <= 0) return;
  const bool wide = (device::aligned(pointers) && ...);
  device::launch(
      on, {device::blocks_for((count + Work::lanes - 1) / Work::lanes, elementwise_block), elementwise_block},
      wide ? &elementwise_kernel<true, Work> : &elementwise_kernel<false, Work>, work, static_cast<std::size_t>(count));
}

/// A kernel that has a thread for each column of (rows, row_size), and goes over the rows in steps of the grid.
template <class Operation>
void launch_rows_of_elements(void (*kernel)(Operation), const Operation& op, index rows, index row_size,
                             device::stream on) {
  if (rows <= 0 || row_size <= 0) return;
  device::launch(on,
                 {{device::blocks_for(row_size, elementwise_block), static_cast<unsigned>(rows < 65535 ? rows : 65535)},
                  elementwise_block},
                 kernel, op);
}

template <class T>
struct accumulate_work {
  static constexpr int lanes = device::lanes_of<T>;
  const T* from;
  T* to;
  bool add;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float x[lanes], sum[lanes];
    device::load<Wide>(from + at, left, x);
    if (add) {
      device::load<Wide>(to + at, left, sum);
      device::unrolled<lanes>([&](auto k) { x[k] += sum[k]; });
    }
    device::store<Wide>(to + at, left, x);
  }
};

template <class T>
struct add_work {
  static constexpr int lanes = device::lanes_of<T>;
  const T *a, *b;
  T* y;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float x[lanes], z[lanes];
    device::load<Wide>(a + at, left, x);
    device::load<Wide>(b + at, left, z);
    device::unrolled<lanes>([&](auto k) { x[k] += z[k]; });
    device::store<Wide>(y + at, left, x);
  }
};

template <class T>
struct fill_work {
  static constexpr int lanes = device::lanes_of<T>;
  T* x;
  T constant;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float all[lanes];
    device::unrolled<lanes>([&](auto k) { all[k] = device::to_float(constant); });
    device::store<Wide>(x + at, left, all);
  }
};

template <class T>
__global__ void set_value_kernel(const set_value<T> op) {
  *op.to = op.value;
}

}  // namespace detail

template <class T>
void run(const set_value<T>& op, device::stream on) {
  device::launch(on, {1, 1}, &detail::set_value_kernel<T>, op);
}

// T: float, device::half or device::bfloat16, here and below.
template <class T>
void run(const accumulate<T>& op, device::stream on) {
  detail::for_each_element(detail::accumulate_work<T>{op.from, op.to, op.add}, op.count, on, op.from, op.to);
}
template <class T>
void run(const add<T>& op, device::stream on) {
  detail::for_each_element(detail::add_work<T>{op.a, op.b, op.y}, op.count, on, op.a, op.b, op.y);
}
template <class T>
void run(const fill<T>& op, device::stream on) {
  detail::for_each_element(detail::fill_work<T>{op.x, op.constant}, op.count, on, op.x);
}

}  // namespace anodiff::ops::cuda
