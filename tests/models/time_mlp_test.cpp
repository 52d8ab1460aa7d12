// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/time_mlp.hpp>
#include "laws/denoiser_laws.hpp"

using namespace anodiff;
using models::time_mlp;
using models::time_mlp_architecture;

static_assert(time_estimator<time_mlp<cpu_engine>> && trainable<time_mlp<cpu_engine>>);
static_assert(!denoiser<time_mlp<cpu_engine>>);

TEST_CASE("time_mlp: a policy", "[models]") {
  laws::check_policy<time_mlp_architecture>({.width = 3, .dropout = 0.25, .outputs = 4});
  laws::check_policy<time_mlp<cpu_engine>>();
}

TEST_CASE("time_mlp: gradients of the whole network", "[models][gradients]") {
  laws::check_model_gradients<time_mlp_architecture>({.width = 6, .dropout = 0, .outputs = 3});
  laws::check_model_gradients<time_mlp_architecture>({.width = 6, .dropout = 0.2, .outputs = 3});
}

TEST_CASE("time_mlp: gives as many values a row as it was asked for", "[models]") {
  time_mlp<cpu_engine> model{{.width = 5, .outputs = 4}};
  model.build({{3}, 1});
  CHECK(model.prepare(std::vector<noise_level>{clean_level}, 2).output_width() == 4);
}

TEST_CASE("time_mlp: refuses sizes out of range", "[models]") {
  CHECK_THROWS_WITH(time_mlp_architecture({.width = 0}), "models::time_mlp: width must lie in [1, 32768], got 0");
  CHECK_THROWS_WITH(time_mlp_architecture({.dropout = 1}), "models::time_mlp: dropout must lie in [0, 1), got 1");
  CHECK_THROWS_WITH(time_mlp_architecture({.outputs = 0}), "models::time_mlp: outputs must lie in [1, 65536], got 0");
}
