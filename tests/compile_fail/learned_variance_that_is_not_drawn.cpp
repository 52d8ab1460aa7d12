// expect-error: needs a sampler that draws with it
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/none.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/learned_range.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/samplers/ddpm.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using sampling = ad::samplers::ddpm;
#else
using sampling = ad::samplers::ddim;
#endif
using made = ad::rebuilding_run<ad::models::mlp<ad::cpu_engine>, ad::predictions::learned_range<>, sampling,
                                ad::conditioning::none, ad::corruptions::gaussian>;

int main() { return sizeof(made) == 0; }
