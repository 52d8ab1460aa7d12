// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/dropout.cuh>
#include <anodiff/ops/noise.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::noise_test {

namespace {

__global__ void words_kernel(noise_key key, std::uint64_t first, std::uint32_t count, std::uint32_t* out) {
  const auto i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) out[i] = random_word(key, first + i);
}

__global__ void radius_kernel(const std::uint32_t* word, std::uint32_t count, float* out) {
  const auto i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) out[i] = ops::cuda::detail::normal_radius(word[i]);
}

template <class T>
std::vector<T> normals(index rows, index row_size, const ops::row_noise& noise, index pad = 0) {
  device_array<T> out(rows * row_size + pad);
  ops::cuda::run(ops::fill_normal<T>{out.data() + pad, rows, row_size, noise}, stream);
  auto host = out.host();
  host.erase(host.begin(), host.begin() + pad);
  return host;
}

}  // namespace

TEST_CASE("the device's random words are the host's", "[cuda][noise]") {
  if (!device_ready()) return;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{0x299f31d0a4093822}, ~std::uint64_t{0}})
    for (const std::uint64_t first : {0ULL, 3ULL, 0x3ffffff00ULL}) {
      const noise_key key{.seed = seed, .draw = 0x13198a2e, .step = 0x03707344, .use = purpose::dropout};
      device_array<std::uint32_t> out(200);
      device::launch(stream, {4, 64}, &words_kernel, key, first, 200, out.data());
      std::vector<std::uint32_t> want;
      for (std::uint64_t i = 0; i < 200; ++i) want.push_back(random_word(key, first + i));
      CHECK(out.host() == want);
      if (few_threads) return;
    }
}

TEST_CASE("the radius keeps its bound for every kind of word", "[cuda][noise]") {
  if (!device_ready()) return;
  std::vector<std::uint32_t> words{0, 1, 2, 3, 127, 128, 255, 256};
  for (int bit = 3; bit < 32; ++bit)
    for (const int delta : {-2, -1, 0, 1, 3}) words.push_back((1U << bit) + static_cast<std::uint32_t>(delta));
  for (std::size_t i = 0, n = words.size(); i < n; ++i) words.push_back(~words[i]);
  device_array<std::uint32_t> in(words);
  device_array<float> out(static_cast<index>(words.size()));
  device::launch(stream, {device::blocks_for(static_cast<index>(words.size()), 64), 64}, &radius_kernel, in.data(),
                 words.size(), out.data());
  std::vector<double> want;
  for (const auto w : words) want.push_back(std::sqrt(-2 * std::log((w + 0.5) * 0x1p-32)));
  CHECK(worst(out.host(), want, 1) < ops::normal_bound / 8);
}

TEMPLATE_TEST_CASE("normals match random_normal, whatever the shape and the batch", "[cuda][noise]", float,
                   device::half, device::bfloat16) {
  if (!device_ready()) return;
  const std::vector<std::uint32_t> draws{9, 1, 9, 4, 0, 7, 7, 8, 2, 3};
  device_array<std::uint32_t> on_device(draws);
  for (const auto& [rows, row_size] : row_shapes())
    for (const index first : {0, 2, 8}) {
      if (few_threads && first != 2) continue;
      CAPTURE(rows, row_size, first);
      const bool own = rows <= static_cast<index>(draws.size());
      const ops::row_noise host{{.seed = 5, .draw = 3, .step = 9}, own ? draws.data() : nullptr, first};
      ops::row_noise there = host;
      if (own) there.draws = on_device.data();
      const auto got = in_every_order([&] { return normals<TestType>(rows, row_size, there); });
      std::vector<double> want(static_cast<std::size_t>(rows * row_size));
      ops::reference::run(ops::fill_normal<double>{want.data(), rows, row_size, host});
      CHECK(worst(values_of(got), want) <= ops::normal_bound + rounding<TestType>);
      CHECK(same_bits(got, normals<TestType>(rows, row_size, there, 1)));  // no aligned address
      for (index i = 0; i < rows && i < 3 && !few_threads; ++i) {          // each row alone
        ops::row_noise alone = there;
        if (own) alone.draws += i;
        CHECK(same_bits(rows_of(got, row_size, i, i + 1), normals<TestType>(1, row_size, alone)));
      }
    }
}

TEST_CASE("forward noising matches its reference", "[cuda][noise]") {
  if (!device_ready()) return;
  const std::vector<double> alpha{0.9, 0.5, 0.1}, sigma{0.4, 0.8, 1}, clean{-0.3, 0, 1}, epsilon{1, 0.5, -2};
  device_array<float> a(elements<float>(alpha)), s(elements<float>(sigma)), c(elements<float>(clean)),
      e(elements<float>(epsilon));
  for (const auto& [rows, row_size] : row_shapes())
    for (const bool with_target : {false, true}) {
      CAPTURE(rows, row_size, with_target);
      const auto x = inputs<float>(rows * row_size, 1);
      const auto level = levels(rows, 3);
      device_array<std::int32_t> l(level);
      const ops::row_noise noise{{.seed = 8, .use = purpose::corruption}, nullptr, 1};
      const auto got = in_every_order([&] {
        device_array<float> noised(elements<float>(x)), target(rows * row_size);
        ops::cuda::run(ops::corrupt_rows<float>{noised.data(), noised.data(), with_target ? target.data() : nullptr,
                                                rows, row_size, a.data(), s.data(), with_target ? c.data() : nullptr,
                                                with_target ? e.data() : nullptr, l.data(), noise},
                       stream);
        auto out = noised.host();
        const auto more = target.host();
        out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> want(x.size() * 2);
      const auto as_float = [](const std::vector<double>& v) { return values_of(elements<float>(v)); };
      const auto a64 = as_float(alpha), s64 = as_float(sigma), c64 = as_float(clean), e64 = as_float(epsilon);
      ops::reference::run(
          ops::corrupt_rows<double>{x.data(), want.data(), with_target ? want.data() + x.size() : nullptr, rows,
                                    row_size, a64.data(), s64.data(), c64.data(), e64.data(), level.data(), noise});
      CHECK(worst(got, want) <= 2 * ops::normal_bound);
    }
}

TEMPLATE_TEST_CASE("dropout keeps the elements that the reference keeps", "[cuda][dropout]", float, device::bfloat16) {
  if (!device_ready()) return;
  for (const auto& [rows, width] : row_shapes())
    for (const bool accumulate : {false, true}) {
      CAPTURE(rows, width, accumulate);
      const index first = (rows + width) % 3 == 0 ? 5 : 8;
      const auto x = inputs<TestType>(rows * width, 1), y = inputs<TestType>(rows * width, 2);
      std::vector<std::uint32_t> draws;
      for (index i = 0; i < rows; ++i) draws.push_back(static_cast<std::uint32_t>(7 * i + 1));
      const noise_key key{.seed = 5, .step = 3, .use = purpose::dropout};
      const auto got = in_every_order([&] {
        device_array<TestType> on_x(elements<TestType>(x)), on_y(elements<TestType>(y));
        device_array<std::uint32_t> on_draws(draws);
        ops::cuda::run(
            ops::dropout<TestType>{
                on_x.data(), on_y.data(), rows, width, 0.375, {key, on_draws.data(), first}, accumulate},
            stream);
        return on_y.host();
      });
      auto want = y;
      ops::reference::run(
          ops::dropout<double>{x.data(), want.data(), rows, width, 0.375, {key, draws.data(), first}, accumulate});
      CHECK(worst(values_of(got), want) <= 2e-7 + rounding<TestType>);
    }
}

}  // namespace cuda_test::noise_test
