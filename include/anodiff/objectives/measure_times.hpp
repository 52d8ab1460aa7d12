// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/objective.hpp>
#include <anodiff/ops/time_loss.hpp>

namespace anodiff::objectives {

/// An objective's measure(engine, batch) of its measure(row, …): on the GPU a thread for each row, else one by one.
template <class Objective, class Engine>
void measure_times(const Objective& objective, Engine& engine, const time_batch<typename Engine::real>& b) {
  const ops::time_loss<typename Engine::real, Objective> op{objective,  b.output,   b.share, b.sigma,   b.level,
                                                            b.row_loss, b.gradient, b.rows,  b.outputs, b.columns};
  if constexpr (remote_engine<Engine>)
    engine.run(op);
  else
    ops::reference::run(op);
}

}  // namespace anodiff::objectives
