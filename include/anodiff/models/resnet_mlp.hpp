// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/nn/dropout.hpp>
#include <anodiff/nn/layer_norm.hpp>
#include <anodiff/nn/time_embedding.hpp>

namespace anodiff::models {

struct resnet_mlp_params {
  index width = 128;         ///< of the residual stream; [1, 65536]
  index hidden = 256;        ///< inside a block; [1, 65536]
  index blocks = 3;          ///< [1, 64]
  double dropout = 0.1;      ///< inside a block, in training; [0, 1)
  index time_features = 64;  ///< sinusoids of the level's time; even, [2, 4096]
  index outputs = 1;         ///< for each value of a row: 2 where the prediction also learns a variance; [1, 2]

  static constexpr void fields(auto& self, auto&& field) {
    field("width", self.width);
    field("hidden", self.hidden);
    field("blocks", self.blocks);
    field("dropout", self.dropout);
    field("time_features", self.time_features);
    field("outputs", self.outputs);
  }
};

/// A residual network for rows: h ← h + B drop(SiLU(A norm(h) + P e)). Gorishniy et al. 2021, arXiv:2106.11959, section
/// 3.2, with layer normalisation, so that a row does not see its batch, and the time embedding e of Kotelnikov et al.
/// 2022 (TabDDPM), arXiv:2209.15421.
class resnet_mlp_architecture {
 public:
  using params = resnet_mlp_params;
  static constexpr std::string_view name = "resnet_mlp";

  explicit resnet_mlp_architecture(params p = {}) : params_{p} {
    check(p.width >= 1 && p.width <= 65536, "models::resnet_mlp: width must lie in [1, 65536], got ", p.width);
    check(p.hidden >= 1 && p.hidden <= 65536, "models::resnet_mlp: hidden must lie in [1, 65536], got ", p.hidden);
    check(p.blocks >= 1 && p.blocks <= 64, "models::resnet_mlp: blocks must lie in [1, 64], got ", p.blocks);
    check(p.dropout >= 0 && p.dropout < 1, "models::resnet_mlp: dropout must lie in [0, 1), got ", p.dropout);
    check(p.time_features >= 2 && p.time_features <= 4096 && p.time_features % 2 == 0,
          "models::resnet_mlp: time_features must be even and lie in [2, 4096], got ", p.time_features);
    check(p.outputs >= 1 && p.outputs <= 2, "models::resnet_mlp: outputs must lie in [1, 2], got ", p.outputs);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index time_features() const noexcept { return params_.time_features; }

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value features) const {
    const nn::value time = nn::time_embedding(t, "time", features, params_.hidden);
    nn::value h = nn::linear(t, "in", x, params_.width);
    for (index i = 0; i < params_.blocks; ++i) {
      const auto part = [&](const char* what) { return concat("blocks.", i, ".", what); };
      const nn::value table = nn::linear(t, part("project"), time, params_.hidden);
      const nn::value normed = nn::layer_norm(t, part("norm"), h);
      nn::value inner =
          nn::linear(t, part("first"), normed, params_.hidden, {.activation = ops::activation::silu, .table = table});
      inner = nn::dropout(t, inner, params_.dropout);
      h = nn::linear(t, part("second"), inner, params_.width, {.residual = h});
    }
    return nn::linear(t, "out", nn::layer_norm(t, "norm", h), params_.outputs * t.width(x));
  }

 private:
  params params_;
};

template <engine Engine>
using resnet_mlp = neural<resnet_mlp_architecture, Engine>;

}  // namespace anodiff::models
