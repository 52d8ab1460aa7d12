// budget-seconds: 4
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/anodiff.hpp>

float use(const anodiff::tensor<float, 2>& x) { return x(0, 0); }
