// expect-error: a corruption that takes them
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/imputation.hpp>
#include <anodiff/corruptions/known_gaussian.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/preprocessing/gapped.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using corruption = ad::corruptions::known_gaussian;
#else
using corruption = ad::corruptions::gaussian;
#endif
using made = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::samplers::ddpm, ad::conditioning::imputation,
                          ad::preprocessing::gapped, ad::recipe<corruption, ad::objectives::squared_error>,
                          ad::scorers::reconstruction<ad::distances::l2>>;

int main() { return sizeof(made) == 0; }
