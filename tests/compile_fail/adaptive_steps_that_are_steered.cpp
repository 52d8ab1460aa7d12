// expect-error: cannot be steered after each of them
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/none.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/samplers/adaptive.hpp>

namespace ad = anodiff;

struct steering : ad::conditioning::none {
  using none::none;
  static constexpr std::string_view name = "steering";
  static constexpr bool steers = true;
};
#ifdef ANODIFF_GOOD
using condition = ad::conditioning::none;
#else
using condition = steering;
#endif
using made = ad::rebuilding_run<ad::models::gaussian<ad::cpu_engine>, ad::predictions::epsilon, ad::samplers::adaptive,
                                condition, ad::corruptions::gaussian>;

int main() { return sizeof(made) == 0; }
