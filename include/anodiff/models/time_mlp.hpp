// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/nn/dropout.hpp>
#include <anodiff/nn/linear.hpp>

namespace anodiff::models {

struct time_mlp_params {
  index width = 256;     ///< of the first and the last hidden layer; the one between has twice as many; [1, 32768]
  double dropout = 0.5;  ///< after the second and the third, in training; [0, 1)
  index outputs = 7;     ///< values it gives a row, as many as the objective wants; [1, 65536]

  static constexpr void fields(auto& self, auto&& field) {
    field("width", self.width);
    field("dropout", self.dropout);
    field("outputs", self.outputs);
  }
};

/// A plain network that sees a noised row, is not told its noise level, and says what it is: three hidden layers of
/// max(0, ·). Livernoche et al. 2023 (DTE), arXiv:2305.18593, appendix; the sizes are those of the published code.
class time_mlp_architecture {
 public:
  using params = time_mlp_params;
  static constexpr std::string_view name = "time_mlp";
  static constexpr bool tells_noise = true;

  explicit time_mlp_architecture(params p = {}) : params_{p} {
    check(p.width >= 1 && p.width <= 32768, "models::time_mlp: width must lie in [1, 32768], got ", p.width);
    check(p.dropout >= 0 && p.dropout < 1, "models::time_mlp: dropout must lie in [0, 1), got ", p.dropout);
    check(p.outputs >= 1 && p.outputs <= 65536, "models::time_mlp: outputs must lie in [1, 65536], got ", p.outputs);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index time_features() const noexcept { return 2; }  // recorded, and read by no layer

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value) const {
    constexpr nn::linear_options relu{.activation = ops::activation::relu};
    nn::value h = nn::linear(t, "in", x, params_.width, relu);
    h = nn::dropout(t, nn::linear(t, "hidden.0", h, 2 * params_.width, relu), params_.dropout);
    h = nn::dropout(t, nn::linear(t, "hidden.1", h, params_.width, relu), params_.dropout);
    return nn::linear(t, "out", h, params_.outputs);
  }

 private:
  params params_;
};

template <engine Engine>
using time_mlp = neural<time_mlp_architecture, Engine>;

}  // namespace anodiff::models
