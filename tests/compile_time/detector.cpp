// budget-seconds: 30
// SPDX-License-Identifier: Apache-2.0
// The aim is 4: until it is met, this holds what there is, 17 to 25, with room for a busy machine. All of fit, score
// and the file is compiled here.
#include <anodiff/anodiff.hpp>

namespace ad = anodiff;
using inspector = ad::detector<ad::schedules::cosine, ad::models::mlp<ad::cpu_engine>, ad::samplers::ddim,
                               ad::scorers::reconstruction<ad::distances::l1>, ad::calibration::conformal>;

double first_score(const ad::tensor<double, 2>& normals, const ad::tensor<double, 2>& rows) {
  inspector model{{.start = ad::start::noised(0.25), .steps = 8, .seed = 7}};
  model.fit(normals);
  model.save("tile.anodiff");
  return inspector::load("tile.anodiff").score(rows).score[0];
}
