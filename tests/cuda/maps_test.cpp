// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/blur.cuh>
#include <anodiff/ops/top_k.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::maps_test {

TEST_CASE("pictures are blurred on the device as on the host", "[cuda][blur]") {
  if (!device_ready() || few_threads) return;
  for (const double sigma : {0.3, 1.0, 3.0})
    for (const auto& [height, width, channels] :
         {std::array<index, 3>{1, 1, 1}, std::array<index, 3>{5, 1, 2}, std::array<index, 3>{9, 14, 3}}) {
      CAPTURE(sigma, height, width, channels);
      const index n = 2, size = n * height * width * channels;
      const auto x = inputs<float>(size, 1);
      const auto weights = ops::gaussian_weights<float>(sigma);
      const auto radius = static_cast<index>(weights.size()) - 1;
      const auto got = in_every_order([&] {
        device_array<float> on(elements<float>(x)), scratch(size), w(weights);
        ops::cuda::run(ops::cuda::blur_pictures<float>{on.data(), on.data(), scratch.data(), w.data(), radius, n,
                                                       height, width, channels},
                       stream);
        return on.host();
      });
      const auto weights64 = as<double>(weights);
      std::vector<double> want(x.size()), scratch(static_cast<std::size_t>(height * width * channels));
      ops::reference::run(
          ops::blur<double>{x.data(), want.data(), scratch.data(), &weights64, n, height, width, channels});
      CHECK(worst(got, want) <= 2e-6);
    }
}

TEST_CASE("the mean of the k largest by hand and by sorting", "[cuda][top_k]") {
  if (!device_ready()) return;
  const auto mean_of = [](const std::vector<float>& x, index rows, index k) {
    return in_every_order([&] {
      device_array<float> on(x), out(rows);
      ops::cuda::run(ops::cuda::top_k_mean{on.data(), out.data(), rows, static_cast<index>(x.size()) / rows, k},
                     stream);
      return out.host();
    });
  };
  CHECK(mean_of({3, -1, 7, 7, 0, -5}, 1, 3)[0] == Approx(17.0 / 3));
  CHECK(mean_of({3, 3, 3, 3}, 2, 1) == std::vector<float>{3, 3});
  CHECK(mean_of({-3, -1, -2, -8}, 1, 2)[0] == -1.5F);
  CHECK(mean_of({INFINITY, 1, -INFINITY}, 1, 1)[0] == INFINITY);
  CHECK(std::isnan(mean_of({1, NAN, 2}, 1, 1)[0]));
  CHECK_THROWS_AS(ops::cuda::run(ops::cuda::top_k_mean{nullptr, nullptr, 1, 3, 4}, stream), invalid_argument);
  if (few_threads) return;
  for (const index size : {index{1}, index{33}, index{1030}})
    for (const index k : {index{1}, (size + 1) / 2, size}) {
      auto x = inputs<float>(3 * size, 5);
      for (std::size_t i = 0; i < x.size(); i += 3) x[i] = x[0];  // ties
      const auto got = mean_of(elements<float>(x), 3, k);
      for (index i = 0; i < 3; ++i) {
        auto row = rows_of(x, size, i, i + 1);
        std::sort(row.rbegin(), row.rend());
        double sum = 0;
        for (index j = 0; j < k; ++j) sum += row[static_cast<std::size_t>(j)];
        CHECK(got[static_cast<std::size_t>(i)] == Approx(sum / static_cast<double>(k)).margin(1e-6));
      }
    }
}

TEST_CASE("a histogram counts what lies inside", "[cuda][histogram]") {
  if (!device_ready()) return;
  const std::vector<float> x{0, 0.24F, 0.25F, 0.99F, 1, -0.1F, NAN, 0.5F, 3, 0.75F};
  const auto got = in_every_order([&] {
    device_array<float> on(x);
    device_array<unsigned> counts(8, 99U);
    ops::cuda::run(ops::cuda::row_histogram{on.data(), counts.data(), 2, 5, 4, 0, 1}, stream);
    return counts.host();
  });
  CHECK(got == std::vector<unsigned>{2, 1, 0, 1, 0, 0, 1, 1});
  CHECK_THROWS_AS(ops::cuda::run(ops::cuda::row_histogram{nullptr, nullptr, 1, 5, 4, 1, 1}, stream), invalid_argument);
}

}  // namespace cuda_test::maps_test
