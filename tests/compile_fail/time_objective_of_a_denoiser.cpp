// expect-error: a time estimator needs one of times, a denoiser one of samples
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/time_mlp.hpp>
#include <anodiff/objectives/time_bins.hpp>
#include <anodiff/pipeline/trainer.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using network = ad::models::time_mlp<ad::cpu_engine>;
#else
using network = ad::models::mlp<ad::cpu_engine>;  // it gives a clean sample, no time
#endif
using made = ad::trainer<network, ad::predictions::epsilon, ad::corruptions::gaussian, ad::objectives::time_bins>;

int main() { return sizeof(made) == 0; }
