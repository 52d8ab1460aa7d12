// expect-error: needs a variance-preserving schedule that ends with signal
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/schedules/exploding.hpp>
#include <anodiff/schedules/linear.hpp>
#include <anodiff/schedules/zero_snr.hpp>

#ifdef ANODIFF_GOOD
using base = anodiff::schedules::linear;
#else
using base = anodiff::schedules::exploding;
#endif

int main() { return anodiff::schedules::zero_snr<base>{}.levels().empty(); }
