// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/kernel_energy_cpu.hpp>
#include "op_support.hpp"

namespace op_test::kernel_energy_test {

namespace {

struct energies {
  std::vector<float> query, reference;
  index row_size;
  double sigma;
  std::vector<index> exclude{};

  struct found {
    std::vector<double> energy, spread;
    [[nodiscard]] bool operator==(const found&) const = default;
  };
  [[nodiscard]] index rows() const { return static_cast<index>(query.size()) / row_size; }
  [[nodiscard]] found on(thread_pool* threads, index first, index last) const {
    const index count = static_cast<index>(reference.size()) / row_size;
    ops::cpu::packed_matrix<float> packed{row_size, count};
    packed.pack({reference.data(), 1, row_size});
    found f{std::vector<double>(static_cast<std::size_t>(last - first)),
            std::vector<double>(static_cast<std::size_t>((last - first) * row_size))};
    ops::kernel_energy<float, const ops::cpu::packed_matrix<float>*> op{};
    op.x = query.data() + first * row_size;
    op.reference = reference.data();
    op.packed = &packed;
    op.exclude = exclude.empty() ? nullptr : exclude.data() + first;
    op.rows = last - first;
    op.count = count;
    op.row_size = row_size;
    op.sigma = sigma;
    op.energy = f.energy.data();
    op.spread = f.spread.data();
    if (threads != nullptr)
      ops::cpu::run(op, *threads);
    else
      ops::reference::run(op);
    return f;
  }
};

[[nodiscard]] bool within(const std::vector<double>& got, const std::vector<double>& want) {
  for (std::size_t i = 0; i < want.size(); ++i)
    if (std::abs(got[i] - want[i]) > ops::kernel_energy_bound * std::max(1.0, std::abs(want[i]))) return false;
  return got.size() == want.size();
}

}  // namespace

TEST_CASE("kernel_energy: two references by hand", "[ops]") {
  const energies e{{0, 0}, {3, 4, 0, 1}, 2, 2};
  const double near = std::exp(-1.0 / 8), far = std::exp(-25.0 / 8);
  for (const auto& f : {e.on(nullptr, 0, 1), e.on(&pool(1), 0, 1)}) {
    CHECK(f.energy[0] == Approx(-std::log(near + far)).epsilon(1e-6));
    CHECK(f.spread[0] == Approx(9 * far / (near + far)).epsilon(1e-6));
    CHECK(f.spread[1] == Approx((16 * far + near) / (near + far)).epsilon(1e-6));
  }
}

TEST_CASE("kernel_energy: the vectorised form keeps its bound, and a row is the same in any batch", "[ops][laws]") {
  for (const index d : {1, 3, 8, 17, 40})
    for (const index count : {1, 7, 16, 255, 256, 700}) {
      energies e{values<float>(23 * d, 1), values<float>(count * d, 2), d, 0.3 * std::sqrt(double(d))};
      if (count > 1)
        for (index i = 0; i < 23; ++i) e.exclude.push_back(i % 3 == 0 ? -1 : (i * 31) % count);
      const auto whole = e.on(&pool(1), 0, 23);
      const auto want = e.on(nullptr, 0, 23);
      CHECK(within(whole.energy, want.energy));
      CHECK(within(whole.spread, want.spread));
      CHECK(e.on(&pool(2), 0, 23) == whole);
      for (index i = 0; i < 23; ++i) {
        const auto alone = e.on(&pool(1), i, i + 1);
        CHECK(alone.energy[0] == whole.energy[static_cast<std::size_t>(i)]);
        CHECK(std::equal(alone.spread.begin(), alone.spread.end(), whole.spread.begin() + i * d));
      }
    }
}

TEST_CASE("kernel_energy: far from everything it grows as the nearest distance, where every weight underflows",
          "[ops]") {
  const energies e{{1000, 0}, {0, 0, 1, 0}, 2, 0.5};
  CHECK(e.on(&pool(1), 0, 1).energy[0] == Approx(999.0 * 999.0 / 0.5).epsilon(1e-6));
}

TEST_CASE("kernel_energy: a far-away origin takes no digits", "[ops]") {
  energies near{values<float>(40, 3), values<float>(80, 4), 4, 0.5}, moved = near;
  for (auto* values : {&near.query, &near.reference, &moved.query, &moved.reference})
    for (float& v : *values) v = std::round(v * 256) / 256;  // so that moving rounds nothing
  for (auto* values : {&moved.query, &moved.reference})
    for (float& v : *values) v += 4096;
  CHECK(near.on(&pool(1), 0, 10) == moved.on(&pool(1), 0, 10));
}

}  // namespace op_test::kernel_energy_test
