// SPDX-License-Identifier: Apache-2.0
// What kernels are written in, against plain definitions: on a GPU this also says whether the host's stand-ins of the
// hardware's instructions are right.
#include <anodiff/core/device.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::instructions_test {

namespace {

template <class T>
__global__ void lanes_kernel(float* out) {
  const auto t = static_cast<float>(threadIdx.x);
  const unsigned thread = threadIdx.x, count = blockDim.x;
  const auto put = [&](unsigned slot, T x) { out[slot * count + thread] = x; };
  put(0, device::warp_sum(t));
  put(1, device::warp_max(-t));
  put(2, device::block_sum(t));
  put(3, device::block_max(t * (100 - t)));
  put(4, device::shuffle(t, 5));
  put(5, device::shuffle_xor(t, 3));
  put(6, device::shuffle_up(t, 2));
  put(7, static_cast<float>(device::ballot(thread % 3 == 0) & 0xFFFFU));
}

/// a (16, 16) b (16, 8) through shared memory: copied in asynchronously, a read by load_matrices, b by its transpose.
template <class T>
__global__ void product_kernel(const std::uint16_t* a, const std::uint16_t* b, T* out) {
  using namespace device;
  auto& tile = shared<std::uint16_t[16][24]>();      // rows of a, eight elements apart
  auto& other = shared<std::uint16_t[16][24], 1>();  // rows of b, the second half zeros
  const unsigned row = lane() / 2, half = lane() % 2 * 8;
  copy_async(&tile[row][half], a + row * 16 + half);
  copy_async(&other[row][half], b + row * 8, half == 0 ? 16 : 0);
  commit_copies();
  wait_copies<0>();
  sync_warp();
  std::uint32_t fragment[4], columns[4];
  load_matrices<false>(fragment, &tile[lane() % 16][lane() / 16 * 8]);
  load_matrices<true>(columns, &other[lane() % 16][lane() / 16 * 8]);
  const std::uint32_t first[2] = {columns[0], columns[1]}, second[2] = {columns[2], columns[3]};
  T sum[4] = {}, nothing[4] = {};
  mma_bf16(sum, fragment, first);
  mma_bf16(nothing, fragment, second);
  for (unsigned r = 0; r < 4; ++r) out[(lane() / 4 + r / 2 * 8) * 8 + lane() % 4 * 2 + r % 2] = sum[r] + nothing[r];
}

template <class T>
__global__ void arithmetic_kernel(const T* x, unsigned count, T* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  out[i] = device::exp2_fast(x[i]);
  out[count + i] = device::log2_fast(x[i] * x[i]);
  device::sin_cos_pi(x[i] / 8, out[2 * count + i], out[3 * count + i]);
  out[4 * count + i] = device::inverse_root(x[i] * x[i]);
  out[5 * count + i] = device::divide_fast(1, x[i]);
  out[6 * count + i] = device::to_float(device::from_float<device::half>(x[i]));
  out[7 * count + i] = device::to_float(device::from_float<device::bfloat16>(x[i]));
}

}  // namespace

TEST_CASE("lanes and blocks exchange what they say", "[cuda][instructions]") {
  if (!device_ready()) return;
  constexpr unsigned count = 96;
  const auto got = in_every_order([&] {
    device_array<float> out(8 * count);
    device::launch(stream, {1, count}, &lanes_kernel<float>, out.data());
    return out.host();
  });
  std::vector<float> want(8 * count);
  for (unsigned t = 0; t < count; ++t) {
    const unsigned warp = t / 32 * 32, lane = t % 32;
    float sum = 0;
    unsigned votes = 0;
    for (unsigned k = 0; k < 32; ++k) {
      sum += static_cast<float>(warp + k);
      if (k < 16 && (warp + k) % 3 == 0) votes |= 1U << k;
    }
    const float values[] = {sum,
                            -static_cast<float>(warp),
                            96.0F * 95 / 2,
                            2500,
                            static_cast<float>(warp + 5),
                            static_cast<float>(t ^ 3U),
                            static_cast<float>(lane < 2 ? t : t - 2),
                            static_cast<float>(votes)};
    for (unsigned slot = 0; slot < 8; ++slot) want[slot * count + t] = values[slot];
  }
  CHECK(got == want);
}

TEST_CASE("a matrix unit multiplies what load_matrices and copy_async bring", "[cuda][instructions]") {
  if (!device_ready()) return;
  std::vector<std::uint16_t> a, b;
  const auto of_a = [](unsigned i, unsigned k) { return static_cast<double>((i * 5 + k * 3) % 11) - 4; };
  const auto of_b = [](unsigned k, unsigned j) { return static_cast<double>((k * 7 + j * 2) % 13) - 6; };
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned k = 0; k < 16; ++k) a.push_back(element_of<device::bfloat16>(of_a(i, k)).bits);
  for (unsigned k = 0; k < 16; ++k)
    for (unsigned j = 0; j < 8; ++j) b.push_back(element_of<device::bfloat16>(of_b(k, j)).bits);
  const auto got = in_every_order([&] {
    device_array<std::uint16_t> on_a(a), on_b(b);
    device_array<float> out(16 * 8);
    device::launch(stream, {1, 32}, &product_kernel<float>, on_a.data(), on_b.data(), out.data());
    return out.host();
  });
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      double sum = 0;
      for (unsigned k = 0; k < 16; ++k) sum += of_a(i, k) * of_b(k, j);
      CHECK(static_cast<double>(got[i * 8 + j]) == sum);
    }
}

TEST_CASE("fast arithmetic keeps to what kernels count on", "[cuda][instructions]") {
  if (!device_ready() || few_threads) return;
  std::vector<float> x;
  for (int i = -120; i <= 120; ++i)
    if (i != 0) x.push_back(static_cast<float>(i) / 16.0F * 1.0009765625F);
  const std::size_t n = x.size();
  device_array<float> in(x), out(static_cast<index>(8 * n));
  device::launch(stream, {device::blocks_for(static_cast<index>(n), 64), 64}, &arithmetic_kernel<float>, in.data(), n,
                 out.data());
  const auto got = out.host();
  const double pi = std::acos(-1.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double v = static_cast<double>(x[i]);
    CAPTURE(v);
    const auto at = [&](std::size_t slot) { return static_cast<double>(got[slot * n + i]); };
    CHECK(at(0) == Approx(std::exp2(v)).epsilon(5e-7));
    CHECK(at(1) == Approx(std::log2(v * v)).epsilon(3e-7).margin(3e-7));
    CHECK(std::abs(at(2) - std::sin(pi * v / 8)) <= 3e-7);
    CHECK(std::abs(at(3) - std::cos(pi * v / 8)) <= 3e-7);
    CHECK(at(4) == Approx(1 / std::abs(v)).epsilon(4e-7));
    CHECK(at(5) == Approx(1 / v).epsilon(4e-7));
    CHECK(at(6) == value_of(element_of<device::half>(v)));
    CHECK(at(7) == value_of(element_of<device::bfloat16>(v)));
  }
}

}  // namespace cuda_test::instructions_test
