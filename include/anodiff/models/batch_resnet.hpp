// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/nn/activation.hpp>
#include <anodiff/nn/add.hpp>
#include <anodiff/nn/batch_norm.hpp>
#include <anodiff/nn/dropout.hpp>
#include <anodiff/nn/time_embedding.hpp>

namespace anodiff::models {

struct batch_resnet_params {
  index width = 128;            ///< of the residual stream; [1, 65536]
  index hidden = 256;           ///< inside a block; [1, 65536]
  index blocks = 3;             ///< [1, 64]
  double dropout_first = 0.4;   ///< after a block's activation, in training; [0, 1)
  double dropout_second = 0.1;  ///< at a block's end, in training; [0, 1)
  index time_features = 256;    ///< sinusoids of the level's time; even, [2, 4096]

  static constexpr void fields(auto& self, auto&& field) {
    field("width", self.width);
    field("hidden", self.hidden);
    field("blocks", self.blocks);
    field("dropout_first", self.dropout_first);
    field("dropout_second", self.dropout_second);
    field("time_features", self.time_features);
  }
};

/// The residual network for rows as it was published, with batch normalisation and ReLU: h ← h + drop(B drop(ReLU(A
/// norm(h)))), the time embedding added once, to the first projection. Gorishniy et al. 2021, arXiv:2106.11959, section
/// 3.2; the time embedding is that of Livernoche et al. 2023, arXiv:2305.18593. In training the rows of a batch see one
/// another, so that resnet_mlp is the better choice where a published figure need not be met.
class batch_resnet_architecture {
 public:
  using params = batch_resnet_params;
  static constexpr std::string_view name = "batch_resnet";

  explicit batch_resnet_architecture(params p = {}) : params_{p} {
    const auto in = [](const char* what, auto value, auto low, auto high) {
      check(value >= low && value <= high, "models::batch_resnet: ", what, " must lie in [", low, ", ", high, "], got ",
            value);
    };
    in("width", p.width, index{1}, index{65536});
    in("hidden", p.hidden, index{1}, index{65536});
    in("blocks", p.blocks, index{1}, index{64});
    for (const double rate : {p.dropout_first, p.dropout_second})
      check(rate >= 0 && rate < 1, "models::batch_resnet: dropout must lie in [0, 1), got ", rate);
    check(p.time_features >= 2 && p.time_features <= 4096 && p.time_features % 2 == 0,
          "models::batch_resnet: time_features must be even and lie in [2, 4096], got ", p.time_features);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index time_features() const noexcept { return params_.time_features; }

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value features) const {
    const auto relu = [&](nn::value v) { return nn::activate(t, v, ops::activation::relu); };
    const nn::value time =
        nn::activate(t, nn::time_embedding(t, "time", features, params_.time_features), ops::activation::silu);
    nn::value h = nn::linear(t, "in", x, params_.width, {.table = nn::linear(t, "project", time, params_.width)});
    for (index i = 0; i < params_.blocks; ++i) {
      const auto part = [&](const char* what) { return concat("blocks.", i, ".", what); };
      nn::value inner = nn::linear(t, part("first"), nn::batch_norm(t, part("norm"), h), params_.hidden,
                                   {.activation = ops::activation::relu});
      inner = nn::linear(t, part("second"), nn::dropout(t, inner, params_.dropout_first), params_.width);
      h = nn::add(t, h, nn::dropout(t, inner, params_.dropout_second));
    }
    return nn::linear(t, "out", relu(nn::batch_norm(t, "norm", h)), t.width(x));
  }

 private:
  params params_;
};

template <engine Engine>
using batch_resnet = neural<batch_resnet_architecture, Engine>;

}  // namespace anodiff::models
