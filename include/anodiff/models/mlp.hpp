// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/nn/time_embedding.hpp>

namespace anodiff::models {

struct mlp_params {
  index width = 256;         ///< of every hidden layer; [1, 65536]
  index layers = 4;          ///< hidden layers after the first projection; [1, 64]
  index time_features = 64;  ///< sinusoids of the level's time; even, [2, 4096]
  index outputs = 1;         ///< for each value of a row: 2 where the prediction also learns a variance; [1, 2]

  static constexpr void fields(auto& self, auto&& field) {
    field("width", self.width);
    field("layers", self.layers);
    field("time_features", self.time_features);
    field("outputs", self.outputs);
  }
};

/// A plain network for rows: each hidden layer is h ← SiLU(W h + b + P e), e the time embedding, P its own projection.
class mlp_architecture {
 public:
  using params = mlp_params;
  static constexpr std::string_view name = "mlp";

  explicit mlp_architecture(params p = {}) : params_{p} {
    check(p.width >= 1 && p.width <= 65536, "models::mlp: width must lie in [1, 65536], got ", p.width);
    check(p.layers >= 1 && p.layers <= 64, "models::mlp: layers must lie in [1, 64], got ", p.layers);
    check(p.time_features >= 2 && p.time_features <= 4096 && p.time_features % 2 == 0,
          "models::mlp: time_features must be even and lie in [2, 4096], got ", p.time_features);
    check(p.outputs >= 1 && p.outputs <= 2, "models::mlp: outputs must lie in [1, 2], got ", p.outputs);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index time_features() const noexcept { return params_.time_features; }

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value features) const {
    const nn::value time = nn::time_embedding(t, "time", features, params_.width);
    nn::value h = nn::linear(t, "in", x, params_.width);
    for (index i = 0; i < params_.layers; ++i) {
      const nn::value table = nn::linear(t, concat("project.", i), time, params_.width);
      h = nn::linear(t, concat("hidden.", i), h, params_.width, {.activation = ops::activation::silu, .table = table});
    }
    return nn::linear(t, "out", h, params_.outputs * t.width(x));
  }

 private:
  params params_;
};

template <engine Engine>
using mlp = neural<mlp_architecture, Engine>;

}  // namespace anodiff::models
