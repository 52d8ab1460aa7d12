// SPDX-License-Identifier: Apache-2.0
#pragma once

// One body for two ways to test a kernel: compiled by a plain C++ compiler it runs on the host in several orders,
// compiled by nvcc it runs on the GPU.

#include <anodiff/core/device.cuh>
#include <anodiff/core/half.hpp>
#include <bit>
#include <cstdlib>
#include <iostream>
#include <type_traits>
#include <vector>
#include "../ops/op_support.hpp"

namespace cuda_test {

using namespace op_test;
using anodiff::index;

/// Memory of the device with a copy of host elements in it.
template <class T>
class device_array {
 public:
  explicit device_array(const std::vector<T>& from) : size_{from.size()} {
#if defined(__CUDACC__)
    device::check(cudaMalloc(&data_, std::max<std::size_t>(1, size_) * sizeof(T)));
    device::check(cudaMemcpy(data_, from.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
#else
    data_ = static_cast<T*>(std::malloc(size_ * sizeof(T)));  // of exact size: the address sanitizer watches its end
    std::copy(from.begin(), from.end(), data_);
#endif
  }
  explicit device_array(index size, T value = T{})
      : device_array(std::vector<T>(static_cast<std::size_t>(size), value)) {}
  ~device_array() {
#if defined(__CUDACC__)
    (void)cudaFree(data_);
#else
    std::free(data_);
#endif
  }
  device_array(const device_array&) = delete;
  device_array& operator=(const device_array&) = delete;

  [[nodiscard]] T* data() noexcept { return data_; }
  /// The elements, once all that was launched has ended.
  [[nodiscard]] std::vector<T> host() const {
    std::vector<T> out(size_);
#if defined(__CUDACC__)
    device::check(cudaDeviceSynchronize());
    device::check(cudaMemcpy(out.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
#else
    std::copy(data_, data_ + size_, out.begin());
#endif
    return out;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

#if defined(__CUDACC__)
inline constexpr bool few_threads = false, slow = false;
inline const device::stream stream = nullptr;

/// False, with a word on stderr, where there is no GPU; with ANODIFF_REQUIRE_GPU=1 that is a failure instead.
[[nodiscard]] inline bool device_ready() {
  int count = 0;
  const auto code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && count > 0) return true;
  std::cerr << "skipped: no GPU, " << cudaGetErrorString(code) << '\n';
  const char* required = std::getenv("ANODIFF_REQUIRE_GPU");
  CHECK_FALSE((required != nullptr && *required == '1'));
  return false;
}
template <class F>
void on_every_schedule(F f) {
  f();
}
#else
inline constexpr bool few_threads = shim::thread_sanitizer;  // there a CUDA thread costs half a millisecond
inline constexpr bool slow = shim::address_sanitizer;
inline constexpr device::stream stream{};

[[nodiscard]] inline bool device_ready() noexcept { return true; }
template <class F>
void on_every_schedule(F f) {
  for (const auto& s : {shim::schedule{shim::order::forward}, shim::schedule{shim::order::reverse},
                        shim::schedule{shim::order::random, 1}, shim::schedule{shim::order::random, 2}}) {
    shim::chosen_schedule = s;
    CAPTURE(static_cast<int>(s.order), s.seed);
    f();
  }
  shim::chosen_schedule = {};
}
#endif

/// make() must give the same bits in every order, and on a GPU every time; returns them.
template <class Make>
auto in_every_order(Make make) {
  if (few_threads) return make();
  const auto first = make();
  on_every_schedule([&] { CHECK(same_bits(first, make())); });
  return first;
}

// ---- elements on the host
// --------------------------------------------------------------------------------------------

template <class T>
[[nodiscard]] T element_of(double x) {
  const auto f = static_cast<float>(x);
  if constexpr (std::is_same_v<T, device::half>) {
    return {half_from_float(f)};
  } else if constexpr (std::is_same_v<T, device::bfloat16>) {
    return device::bfloat16_from(f);
  } else {
    return static_cast<T>(x);
  }
}
template <class T>
[[nodiscard]] double value_of(T x) {
  if constexpr (std::is_same_v<T, device::half>)
    return static_cast<double>(float_from_half(x.bits));
  else if constexpr (std::is_same_v<T, device::bfloat16>)
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16));
  else
    return static_cast<double>(x);
}
template <class T>
[[nodiscard]] std::vector<T> elements(const std::vector<double>& from) {
  std::vector<T> out;
  for (const double x : from) out.push_back(element_of<T>(x));
  return out;
}
template <class T>
[[nodiscard]] std::vector<double> values_of(const std::vector<T>& from) {
  std::vector<double> out;
  for (const T x : from) out.push_back(value_of(x));
  return out;
}
/// Deterministic values that T holds exactly, in double.
template <class T>
[[nodiscard]] std::vector<double> inputs(index count, std::uint64_t seed, double scale = 1, double offset = 0) {
  return values_of(elements<T>(op_test::values<double>(count, seed, scale, offset)));
}

/// Relative error of one rounding to T.
template <class T>
inline constexpr double rounding = std::is_same_v<T, float>          ? 6e-8
                                   : std::is_same_v<T, device::half> ? 4.9e-4
                                                                     : 3.95e-3;

/// Shapes that elementwise kernels are tried on: one element, odd tails, whole vectors, whole blocks and one more.
[[nodiscard]] inline std::vector<std::pair<index, index>> row_shapes() {
  if (few_threads) return {{5, 7}};
  if (slow) return {{1, 3}, {5, 7}, {3, 8}, {2, 1025}};
  return {{1, 1},   {1, 3},  {3, 1},    {9, 2},    {5, 7},    {3, 8},
          {40, 10}, {2, 33}, {1, 1024}, {2, 1024}, {3, 1025}, {2, 4099}};
}

}  // namespace cuda_test
