// budget-seconds: 8
// SPDX-License-Identifier: Apache-2.0
// The aim is 4, for a detector too: until it is met, this holds what there is, 6.0, and a third.
#include <anodiff/anodiff.hpp>

float use(const anodiff::tensor<float, 2>& x) { return x(0, 0); }
