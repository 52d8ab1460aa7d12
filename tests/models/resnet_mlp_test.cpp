// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/resnet_mlp.hpp>
#include "laws/denoiser_laws.hpp"

using namespace anodiff;
using models::resnet_mlp;
using models::resnet_mlp_architecture;

TEST_CASE("resnet_mlp: a policy", "[models]") {
  laws::check_policy<resnet_mlp_architecture>(
      {.width = 3, .hidden = 4, .blocks = 1, .dropout = 0.25, .time_features = 6});
  laws::check_policy<resnet_mlp<cpu_engine>>();
}

TEST_CASE("resnet_mlp: gradients of the whole network", "[models][gradients]") {
  laws::check_model_gradients<resnet_mlp_architecture>(
      {.width = 6, .hidden = 9, .blocks = 2, .dropout = 0, .time_features = 4});
  // dropout drops the same elements in each pass, so that differences see it too
  laws::check_model_gradients<resnet_mlp_architecture>(
      {.width = 6, .hidden = 9, .blocks = 2, .dropout = 0.2, .time_features = 4});
}

TEST_CASE("resnet_mlp: the laws of a denoiser", "[models][laws]") {
  for (const laws::index d : {1, 32, 65}) {
    INFO(d << " columns");
    laws::check_denoiser<resnet_mlp_architecture>({.width = 48, .hidden = 64, .blocks = 2, .time_features = 16}, d);
    laws::check_denoiser<resnet_mlp_architecture>({.width = 19, .hidden = 37, .blocks = 1, .time_features = 2}, d);
  }
}

TEST_CASE("resnet_mlp: stored and read back", "[models]") {
  laws::check_storage<resnet_mlp_architecture>({.width = 5, .hidden = 7, .blocks = 2, .time_features = 4});
}

TEST_CASE("resnet_mlp: refuses sizes out of range", "[models]") {
  CHECK_THROWS_WITH(resnet_mlp_architecture({.width = 0}), "models::resnet_mlp: width must lie in [1, 65536], got 0");
  CHECK_THROWS_WITH(resnet_mlp_architecture({.hidden = 65537}),
                    "models::resnet_mlp: hidden must lie in [1, 65536], got 65537");
  CHECK_THROWS_WITH(resnet_mlp_architecture({.blocks = 0}), "models::resnet_mlp: blocks must lie in [1, 64], got 0");
  CHECK_THROWS_WITH(resnet_mlp_architecture({.dropout = 1}), "models::resnet_mlp: dropout must lie in [0, 1), got 1");
  CHECK_THROWS_WITH(resnet_mlp_architecture({.time_features = 3}),
                    "models::resnet_mlp: time_features must be even and lie in [2, 4096], got 3");
  CHECK_THROWS_AS(resnet_mlp_architecture({.dropout = std::nan("")}), invalid_argument);
}
