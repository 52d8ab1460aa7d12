// expect-error: detector: the scorer cannot be prepared for this model
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/dte_np.hpp>

namespace ad = anodiff;

#ifdef ANODIFF_GOOD
using made = ad::detector<ad::models::knn<ad::cpu_engine>, ad::scorers::dte_np>;
#else
using made = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::scorers::dte_np>;  // a network has no neighbours
#endif

int main() { return sizeof(made) == 0; }
