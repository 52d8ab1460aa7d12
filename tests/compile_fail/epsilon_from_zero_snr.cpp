// expect-error: use velocity or clean, not epsilon
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/schedules/linear.hpp>
#include <anodiff/schedules/zero_snr.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using prediction = ad::predictions::velocity;
#else
using prediction = ad::predictions::epsilon;
#endif
using made = ad::detector<ad::schedules::zero_snr<ad::schedules::linear>, prediction, ad::models::mlp<ad::cpu_engine>,
                          ad::scorers::reconstruction<ad::distances::l1>>;

int main() { return sizeof(made) == 0; }
