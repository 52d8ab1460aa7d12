// expect-error: detector: the scorer cannot be prepared for this model
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/likelihood.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using model = ad::models::mlp<ad::cpu_engine>;
#else
using model = ad::models::knn<ad::cpu_engine>;  // it sees no noise
#endif
using made = ad::detector<model, ad::scorers::likelihood>;

int main() { return sizeof(made) == 0; }
