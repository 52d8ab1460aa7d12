// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/elementwise.hpp>
#include <anodiff/ops/linear.hpp>

namespace anodiff::nn {

/// Adds the gradient of a table that each sample has read a row of: sums holds one row for each sample.
template <engine Engine>
void add_table_gradient(tape<Engine>& t, const pass& p, value table, const typename Engine::real* sums) {
  using real = typename Engine::real;
  real* const to = t.gradient(table);
  const index width = t.width(table);
  if (!t.claim_gradient(table)) t.machine().run(ops::fill<real>{to, p.levels * width, 0});
  t.machine().run(ops::scatter_rows<real>{sums, p.level, to, p.rows, width});
}

/// Throws invalid_argument where the table, if there is one, does not hold a scale and a shift for each channel.
template <engine Engine>
void check_scale_and_shift(const tape<Engine>& t, std::string_view who, const image_shape& image, value table) {
  if (!table.exists()) return;
  check(t.kind(table) == batch::levels && t.width(table) == 2 * image.channels, who, ": the table needs ",
        2 * image.channels, " columns and a row for each noise level, got ", t.width(table), " and a row for each ",
        name_of(t.kind(table)));
}

}  // namespace anodiff::nn
