// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

/// Rows made anomalous on purpose, one of each given row: in turn, about half of its columns are another row's, so that
/// they no longer belong together; one column lies two to four deviations off; the whole row lies 1.2 to 1.6 times as
/// far from the centre. rows (n, d) are standardised. What row i becomes depends on the seed and on i alone; with one
/// row there is no other to take from.
[[nodiscard]] inline tensor<float, 2> damaged_rows(tensor_view<const float, 2> rows, std::uint64_t seed) {
  tensor<float, 2> out{rows};
  const index n = rows.rows(), d = rows.row_size();
  for (index i = 0; i < n; ++i) {
    const noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(i), .use = purpose::augmentation};
    const auto uniform = [&](index which) { return random_uniform(key, static_cast<std::uint64_t>(which)); };
    if (i % 3 == 0) {
      const auto other =
          static_cast<index>(random_below(key, static_cast<std::uint64_t>(d), static_cast<std::uint64_t>(n)));
      for (index j = 0; j < d; ++j)
        if (uniform(j) < 0.5) out(i, j) = rows(other, j);
    } else if (i % 3 == 1) {
      const auto j = std::min(d - 1, static_cast<index>(uniform(0) * static_cast<double>(d)));
      out(i, j) += static_cast<float>((uniform(1) < 0.5 ? -1 : 1) * (2 + 2 * uniform(2)));
    } else {
      const auto factor = static_cast<float>(1.2 + 0.4 * uniform(0));
      for (index j = 0; j < d; ++j) out(i, j) *= factor;
    }
  }
  return out;
}

}  // namespace anodiff
