// expect-error: needs a preprocessing whose indicators are 0 and 1
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/mixed_diffusion.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using preprocessing = ad::preprocessing::classes;
#else
using preprocessing = ad::preprocessing::mixed;
#endif
using made = ad::detector<ad::models::mlp<ad::cpu_engine>, preprocessing, ad::scorers::mixed_denoising_error,
                          ad::recipe<ad::corruptions::gaussian_multinomial, ad::objectives::mixed_error>>;

int main() { return sizeof(made) == 0; }
