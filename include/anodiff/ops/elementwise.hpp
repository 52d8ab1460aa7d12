// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// to = from, or to += from.
template <class T>
struct accumulate {
  const T* from;
  T* to;
  index count;
  bool add;
};

/// y = a + b; y may be either.
template <class T>
struct add {
  const T *a, *b;
  T* y;
  index count;
};

/// x = constant.
template <class T>
struct fill {
  T* x;
  index count;
  T constant;
};

namespace reference {

template <class T>
void run(const accumulate<T>& op) {
  for (index i = 0; i < op.count; ++i) op.to[i] = op.add ? op.to[i] + op.from[i] : op.from[i];
}
template <class T>
void run(const add<T>& op) {
  for (index i = 0; i < op.count; ++i) op.y[i] = op.a[i] + op.b[i];
}
template <class T>
void run(const fill<T>& op) {
  for (index i = 0; i < op.count; ++i) op.x[i] = op.constant;
}

}  // namespace reference
}  // namespace anodiff::ops
