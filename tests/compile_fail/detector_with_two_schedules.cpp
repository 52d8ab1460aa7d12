// expect-error: detector: two policies of the same kind
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using made = ad::detector<ad::schedules::cosine, ad::models::mlp<ad::cpu_engine>,
                          ad::scorers::reconstruction<ad::distances::l1>>;
#else
using made = ad::detector<ad::schedules::cosine, ad::schedules::linear, ad::models::mlp<ad::cpu_engine>,
                          ad::scorers::reconstruction<ad::distances::l1>>;
#endif

int main() { return sizeof(made) == 0; }
