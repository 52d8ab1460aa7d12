// expect-error: needs a sampler that can start there
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/samplers/dpm_solver.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/schedules/linear.hpp>
#include <anodiff/schedules/zero_snr.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using sampler = ad::samplers::dpm_solver_pp;
#else
using sampler = ad::samplers::dpm_solver;
#endif
using made = ad::detector<ad::schedules::zero_snr<ad::schedules::linear>, ad::predictions::velocity, sampler,
                          ad::models::mlp<ad::cpu_engine>, ad::scorers::reconstruction<ad::distances::l1>>;

int main() {
  made model;
  (void)model.score(ad::tensor_view<const float, 2>{nullptr, {0, 0}});
}
