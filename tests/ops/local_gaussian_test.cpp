// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/local_gaussian_cpu.hpp>
#include "op_support.hpp"

namespace op_test::local_gaussian_test {

namespace {

struct clouds {
  std::vector<float> query, reference;
  std::vector<index> place;
  index row_size, k;
  double shrinkage = 0.5;

  struct found {
    std::vector<double> value, share;
    [[nodiscard]] bool operator==(const found&) const = default;
  };
  [[nodiscard]] found on(thread_pool* threads) const {
    const index rows = static_cast<index>(query.size()) / row_size;
    std::vector<double> scratch(static_cast<std::size_t>((rows + 15) / 16 * (k + 2) * row_size));
    found f{std::vector<double>(static_cast<std::size_t>(rows)), std::vector<double>(query.size())};
    const ops::local_gaussian<float> op{query.data(), reference.data(), place.data(),   rows,          row_size, k,
                                        shrinkage,    f.value.data(),   f.share.data(), scratch.data()};
    if (threads != nullptr)
      ops::cpu::run(op, *threads);
    else
      ops::reference::run(op);
    return f;
  }
};

}  // namespace

TEST_CASE("local_gaussian: two neighbours in one dimension by hand", "[ops]") {
  // neighbours 0 and 2: mean 1, variance 1; M = 0.5 * 1 + 0.5 * 1 + 1e-6; the query 4 lies 3 away
  const clouds c{{4}, {0, 2}, {0, 1}, 1, 2};
  const double m = 1 + 1e-6;
  for (const auto& f : {c.on(nullptr), c.on(&pool(1))}) {
    CHECK(f.value[0] == Approx(9 / m + std::log(m)).epsilon(1e-12));
    CHECK(f.share[0] == Approx(9 / m).epsilon(1e-12));
  }
}

TEST_CASE("local_gaussian: the form in the neighbours' number agrees with the form in the columns'", "[ops][laws]") {
  for (const index d : {1, 2, 5, 16, 33})
    for (const index k : {1, 2, 7, 15, 64}) {
      clouds c{values<float>(20 * d, 5), values<float>(100 * d, 6), {}, d, k};
      for (index i = 0; i < 20; ++i)
        for (index n = 0; n < k; ++n) c.place.push_back(i == 3 && n > 0 ? -1 : (i * 7 + n) % 100);
      const auto want = c.on(nullptr), got = c.on(&pool(2));
      CHECK(got == c.on(&pool(1)));
      for (std::size_t i = 0; i < want.value.size(); ++i)
        CHECK(got.value[i] == Approx(want.value[i]).epsilon(ops::local_gaussian_bound).margin(1e-9));
      for (std::size_t i = 0; i < want.share.size(); ++i)
        CHECK(got.share[i] == Approx(want.share[i]).epsilon(ops::local_gaussian_bound).margin(1e-7));
    }
}

}  // namespace op_test::local_gaussian_test
