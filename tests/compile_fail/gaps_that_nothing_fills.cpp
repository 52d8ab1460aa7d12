// expect-error: needs a conditioning that fills them
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/imputation.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/preprocessing/gapped.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using condition = ad::conditioning::imputation;
#else
using condition = ad::conditioning::none;
#endif
using made = ad::detector<ad::models::gaussian<ad::cpu_engine>, ad::samplers::ddpm, condition,
                          ad::preprocessing::gapped, ad::scorers::reconstruction<ad::distances::l2>>;

int main() { return sizeof(made) == 0; }
