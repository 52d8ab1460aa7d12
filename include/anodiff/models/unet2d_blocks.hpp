// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/unet2d_params.hpp>
#include <anodiff/nn/activation.hpp>
#include <anodiff/nn/add.hpp>
#include <anodiff/nn/attention.hpp>
#include <anodiff/nn/concat.hpp>
#include <anodiff/nn/conv2d.hpp>
#include <anodiff/nn/dropout.hpp>
#include <anodiff/nn/fir_resample.hpp>
#include <anodiff/nn/group_norm.hpp>
#include <anodiff/nn/linear.hpp>
#include <anodiff/nn/resample.hpp>
#include <numbers>

namespace anodiff::models {

/// How a residual unit changes the resolution.
enum class unet2d_change { none, half, twice, fir_half, fir_twice };

/// What the residual units of a block have in common.
struct unet2d_unit {
  index out;                                   ///< channels
  index groups_in, groups_out;                 ///< of the first normalisation and of the second
  double divisor = 1;                          ///< of the sum
  unet2d_change change = unet2d_change::none;  ///< of x, and of what the first normalisation makes of it
  bool project = false;                        ///< whether x goes through a 1×1 convolution though its channels fit
};

/// Records the parts of a unet2d under the names that diffusers gives their parameters. `time` (levels, width) is the
/// embedding of the level after the nonlinearity.
template <class Tape>
class unet2d_recorder {
 public:
  unet2d_recorder(Tape& t, const unet2d_params& p, nn::value time)
      : t_{t},
        p_{p},
        time_{time},
        activation_{p.activation == unet2d_activation::relu ? ops::activation::relu : ops::activation::silu} {}

  [[nodiscard]] index channels(nn::value v) const { return t_.image(v).channels; }

  [[nodiscard]] nn::value norm(const std::string& name, nn::value x, index groups, ops::activation activation) {
    return nn::group_norm(t_, name, x, {.groups = groups, .epsilon = p_.norm_epsilon, .activation = activation});
  }
  /// f = conv₂ f(norm₂(conv₁ f(norm₁ x) + time)), then (x + f) / divisor. He et al. 2016, arXiv:1603.05027; the time as
  /// in Ho et al. 2020, or as scale and shift after norm₂ (Dhariwal & Nichol 2021, arXiv:2105.05233, section 3).
  [[nodiscard]] nn::value unit(const std::string& name, nn::value x, const unet2d_unit& u) {
    nn::value h = changed(norm(name + ".norm1", x, u.groups_in, activation_), u.change);
    x = changed(x, u.change);
    const nn::value table = nn::linear(t_, name + ".time_emb_proj", time_, p_.scale_shift ? 2 * u.out : u.out);
    h = nn::conv2d(t_, name + ".conv1", h, u.out, {.table = p_.scale_shift ? nn::value{} : table});
    h = nn::group_norm(t_, name + ".norm2", h,
                       {.groups = u.groups_out,
                        .epsilon = p_.norm_epsilon,
                        .activation = activation_,
                        .table = p_.scale_shift ? table : nn::value{}});
    h = dropped(h);
    if (u.project || channels(x) != u.out) x = nn::conv2d(t_, name + ".conv_shortcut", x, u.out, {.kernel = 1});
    return joined(name + ".conv2", h, x, u.out, 3, u.divisor);
  }
  /// Each pixel looks at all others; (x + that) / divisor. groups = 0: without normalisation. Vaswani et al. 2017,
  /// arXiv:1706.03762, eq. 1; Ho et al. 2020, appendix B.
  [[nodiscard]] nn::value attention(const std::string& name, nn::value x, index groups, double divisor) {
    const index out = channels(x), heads = p_.head_width == 0 ? 1 : out / p_.head_width;
    const index inner = p_.head_width == 0 ? out : heads * p_.head_width;
    check(heads >= 1, "models::unet2d: attention '", name, "' needs at least head_width = ", p_.head_width,
          " channels, got ", out);
    const nn::value normed = groups == 0 ? x : norm(name + ".group_norm", x, groups, ops::activation::identity);
    const auto project = [&](const char* which) {
      return nn::conv2d(t_, concat(name, ".to_", which), normed, inner, {.kernel = 1});
    };
    const nn::value q = project("q"), k = project("k"), v = project("v");
    return joined(name + ".to_out.0", nn::attention(t_, q, k, v, heads), x, out, 1, divisor);
  }
  /// Half the height and width by a convolution.
  [[nodiscard]] nn::value halved(const std::string& name, nn::value x) {
    return nn::conv2d(t_, name + ".conv", x, channels(x),
                      {.stride = 2, .zeros = p_.pad_both_sides ? nn::padding::around : nn::padding::below});
  }
  /// Twice the height and width, and a convolution.
  [[nodiscard]] nn::value doubled(const std::string& name, nn::value x) {
    return nn::conv2d(t_, name + ".conv", nn::upsample(t_, x), channels(x));
  }

 private:
  [[nodiscard]] nn::value changed(nn::value x, unet2d_change change) {
    switch (change) {
      case unet2d_change::half:
        return nn::mean_pool(t_, x);
      case unet2d_change::twice:
        return nn::upsample(t_, x);
      case unet2d_change::fir_half:
        return nn::fir_downsample(t_, x);
      case unet2d_change::fir_twice:
        return nn::fir_upsample(t_, x);
      default:
        return x;
    }
  }
  [[nodiscard]] nn::value dropped(nn::value h) {
    const nn::value out = nn::dropout(t_, h, p_.dropout);
    if (!t_.image(out).exists()) t_.set_image(out, t_.image(h));
    return out;
  }
  /// (x + conv h) / divisor.
  [[nodiscard]] nn::value joined(const std::string& name, nn::value h, nn::value x, index out, index kernel,
                                 double divisor) {
    if (divisor == 1) return nn::conv2d(t_, name, h, out, {.kernel = kernel, .residual = x});
    return nn::add(t_, x, nn::conv2d(t_, name, h, out, {.kernel = kernel}), 1 / divisor);
  }

  Tape& t_;
  const unet2d_params& p_;
  nn::value time_;
  ops::activation activation_;
};

/// What the blocks of the two ways hand on.
struct unet2d_state {
  nn::value h;                     ///< the main stream
  std::vector<nn::value> skips{};  ///< what the way up will read, the last one first
  nn::value picture{};             ///< of skip blocks: the sample on the way down, the result so far on the way up
};

/// Blocks of a resolution. Their groups and divisors: norm_groups and 1; where the picture is handed along, a quarter
/// of the channels, at most 32 (attention: 32), and √2 (Song et al. 2021, arXiv:2011.13456, appendix H).
template <class Tape>
class unet2d_blocks {
 public:
  unet2d_blocks(Tape& t, const unet2d_params& p, nn::value time) : t_{t}, p_{p}, record_{t, p, time} {}
  [[nodiscard]] unet2d_recorder<Tape>& recorder() noexcept { return record_; }

  /// The block at a resolution on the way down.
  void down(std::size_t i, unet2d_state& s) {
    const auto block = p_.down[i];
    const std::string name = concat("down_blocks.", i);
    for (index l = 0; l < p_.layers; ++l) {
      s.h = record_.unit(concat(name, ".resnets.", l), s.h, unit(block, record_.channels(s.h), p_.channels[i]));
      if (attends(block)) s.h = attention(concat(name, ".attentions.", l), block, s.h);
      s.skips.push_back(s.h);
    }
    if (i + 1 == p_.down.size()) return;
    auto u = unit(block, p_.channels[i], p_.channels[i]);
    if (is_skip(block)) {
      u.change = unet2d_change::fir_half;
      u.project = true;
      s.h = record_.unit(name + ".resnet_down", s.h, u);
      s.picture = nn::fir_downsample(t_, s.picture);
      s.h = nn::conv2d(t_, name + ".skip_conv", s.picture, p_.channels[i], {.kernel = 1, .residual = s.h});
    } else if (resizes_in_unit(block, p_.down_resize)) {
      u.change = unet2d_change::half;
      s.h = record_.unit(name + ".downsamplers.0", s.h, u);
    } else {
      s.h = record_.halved(name + ".downsamplers.0", s.h);
    }
    s.skips.push_back(s.h);
  }

  void middle(unet2d_state& s) {
    const index c = p_.channels.back();
    const index attention_groups = p_.middle_attention_groups > 0 ? p_.middle_attention_groups
                                   : p_.scale_shift               ? 0
                                                                  : p_.norm_groups;
    const unet2d_unit u{
        .out = c, .groups_in = p_.norm_groups, .groups_out = p_.norm_groups, .divisor = p_.middle_divisor};
    s.h = record_.unit("mid_block.resnets.0", s.h, u);
    if (p_.middle_attention)
      s.h = record_.attention("mid_block.attentions.0", s.h, attention_groups, p_.middle_divisor);
    s.h = record_.unit("mid_block.resnets.1", s.h, u);
  }

  /// The block at a place on the way up, from 0 for the coarsest resolution.
  void up(std::size_t i, unet2d_state& s) {
    const auto block = p_.up[i];
    const index c = p_.channels[p_.channels.size() - 1 - i];
    const std::string name = concat("up_blocks.", i);
    for (index l = 0; l <= p_.layers; ++l) {
      const nn::value skip = s.skips.back();
      s.skips.pop_back();
      const index below = record_.channels(s.h), beside = record_.channels(skip);
      auto u = unit(block, below + beside, c);
      // diffusers divides the second summand alone
      if (block == unet2d_block::skip_attention) u.groups_in = std::min<index>(below + beside / 4, 32);
      s.h = record_.unit(concat(name, ".resnets.", l), nn::concat_channels(t_, s.h, skip), u);
      if (block == unet2d_block::attention) s.h = attention(concat(name, ".attentions.", l), block, s.h);
    }
    if (block == unet2d_block::skip_attention) s.h = attention(name + ".attentions.0", block, s.h);
    const bool last = i + 1 == p_.up.size();
    auto u = unit(block, c, c);
    if (is_skip(block)) {
      if (s.picture.exists()) s.picture = nn::fir_upsample(t_, s.picture);
      if (last) return;
      const nn::value normed = record_.norm(name + ".skip_norm", s.h, u.groups_in, ops::activation::silu);
      s.picture = nn::conv2d(t_, name + ".skip_conv", normed, skip_channels, {.residual = s.picture});
      u.change = unet2d_change::fir_twice;
      u.project = true;
      s.h = record_.unit(name + ".resnet_up", s.h, u);
    } else if (last) {
      return;
    } else if (resizes_in_unit(block, p_.up_resize)) {
      u.change = unet2d_change::twice;
      s.h = record_.unit(name + ".upsamplers.0", s.h, u);
    } else {
      s.h = record_.doubled(name + ".upsamplers.0", s.h);
    }
  }

  static constexpr index skip_channels = 3;  ///< of the picture that skip blocks hand along

 private:
  [[nodiscard]] static bool resizes_in_unit(unet2d_block block, unet2d_resize how) noexcept {
    return block == unet2d_block::resnet || (block == unet2d_block::attention && how == unet2d_resize::resnet);
  }
  [[nodiscard]] unet2d_unit unit(unet2d_block block, index in, index out) const {
    if (!is_skip(block)) return {.out = out, .groups_in = p_.norm_groups, .groups_out = p_.norm_groups};
    return {.out = out,
            .groups_in = std::min<index>(in / 4, 32),
            .groups_out = std::min<index>(out / 4, 32),
            .divisor = std::numbers::sqrt2};
  }
  [[nodiscard]] nn::value attention(const std::string& name, unet2d_block block, nn::value x) {
    return is_skip(block) ? record_.attention(name, x, 32, std::numbers::sqrt2)
                          : record_.attention(name, x, p_.norm_groups, 1);
  }

  Tape& t_;
  const unet2d_params& p_;
  unet2d_recorder<Tape> record_;
};

}  // namespace anodiff::models
