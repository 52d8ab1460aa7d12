// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/pseudo_huber.hpp>
#include <anodiff/ops/squared_error_cpu.hpp>

namespace anodiff::ops::cpu {

/// The reference on pieces of the rows.
template <class T>
void run(const pseudo_huber<T>& op, thread_pool& pool) {
  on_pieces_of_rows(op, pool);
}

}  // namespace anodiff::ops::cpu
