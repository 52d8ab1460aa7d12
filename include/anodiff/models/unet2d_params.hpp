// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/parameters.hpp>
#include <anodiff/ops/activation.hpp>
#include <charconv>

namespace anodiff::models {

/// What stands at one resolution of the network, in the words of diffusers: DownBlock2D and UpBlock2D;
/// AttnDownBlock2D, …; ResnetDownsampleBlock2D, …; SkipDownBlock2D, …; AttnSkipDownBlock2D, ….
enum class unet2d_block { plain, attention, resnet, skip, skip_attention };
[[nodiscard]] constexpr std::array<std::string_view, 5> names_of(unet2d_block) {
  return {"plain", "attention", "resnet", "skip", "skip_attention"};
}
[[nodiscard]] constexpr bool is_skip(unet2d_block b) noexcept {
  return b == unet2d_block::skip || b == unet2d_block::skip_attention;
}
[[nodiscard]] constexpr bool attends(unet2d_block b) noexcept {
  return b == unet2d_block::attention || b == unet2d_block::skip_attention;
}

/// How the network is told a level's time. positional: fixed sinusoids; fourier: sinusoids of log time with drawn
/// frequencies, and the output is divided by the time; learned: a table of whole times.
enum class unet2d_time { positional, fourier, learned };
[[nodiscard]] constexpr std::array<std::string_view, 3> names_of(unet2d_time) {
  return {"positional", "fourier", "learned"};
}

/// How the network is told a class: not at all; by a table of vectors; as a time is told; as a vector of time_width.
enum class unet2d_class { none, table, timestep, identity };
[[nodiscard]] constexpr std::array<std::string_view, 4> names_of(unet2d_class) {
  return {"none", "table", "timestep", "identity"};
}

/// How `attention` blocks change the resolution: by a convolution, or inside a residual unit.
enum class unet2d_resize { conv, resnet };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(unet2d_resize) { return {"conv", "resnet"}; }

/// The nonlinearity inside residual units.
enum class unet2d_activation { silu, relu };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(unet2d_activation) { return {"silu", "relu"}; }

struct unet2d_params {
  static constexpr std::size_t most_levels = 12;

  std::vector<index> channels{32, 64, 64};  ///< of each resolution, finest first; 1 to 12 of them in [1, 16384]
  std::vector<unet2d_block> down{unet2d_block::plain, unet2d_block::plain, unet2d_block::attention};  ///< finest first
  std::vector<unet2d_block> up{unet2d_block::attention, unet2d_block::plain, unet2d_block::plain};  ///< coarsest first
  index layers = 1;                   ///< residual units of a block on the way down; one more on the way up; [1, 64]
  index out_channels = 0;             ///< 0: those of the sample; up to 16384
  bool middle = true;                 ///< whether there is a middle block, of two residual units
  bool middle_attention = true;       ///< between them
  double middle_divisor = 1;          ///< of the sums in the middle block; (0, 1e6]
  index middle_attention_groups = 0;  ///< of its normalisation; 0: norm_groups, or no normalisation with scale_shift
  double dropout = 0;                 ///< inside a residual unit, in training; [0, 1)
  index head_width = 8;               ///< channels of an attention head; 0: a single head
  index norm_groups = 8;              ///< of group normalisation; it divides all numbers of channels
  double norm_epsilon = 1e-5;         ///< (0, 1]
  bool scale_shift = false;           ///< the time scales and shifts what is normed; else it is added before
  bool pad_both_sides = true;         ///< before a convolution of stride 2; else right and below alone
  unet2d_resize down_resize = unet2d_resize::conv, up_resize = unet2d_resize::conv;
  unet2d_activation activation = unet2d_activation::silu;
  bool centre_input = false;  ///< x is taken as 2 x − 1
  unet2d_time time = unet2d_time::positional;
  index time_width = 0;        ///< of the time embedding; 0: 4 channels[0]; up to 65536
  double frequency_shift = 0;  ///< positional: f_k = 10000^(−k / (h − this)), h = ⌊channels[0] / 2⌋; [0, h)
  bool cosine_first = true;    ///< positional: (cos, sin); else (sin, cos)
  index time_count = 1000;     ///< learned: rows of the table; [2, 1000000]
  unet2d_class classes = unet2d_class::none;
  index class_count = 0;  ///< table: rows; [1, 1000000]

  /// The number of resolutions, then what each has: where they are read, `resolutions` comes first.
  static void fields(auto& self, auto&& field) {
    auto count = static_cast<index>(self.channels.size());
    field("resolutions", count);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(self)>>) {
      check(count >= 1 && count <= static_cast<index>(most_levels), "models::unet2d: resolutions must lie in [1, ",
            most_levels, "], got ", count);
      self.channels.resize(static_cast<std::size_t>(count), 64);
      self.down.resize(static_cast<std::size_t>(count));
      self.up.resize(static_cast<std::size_t>(count));
    }
    for (std::size_t i = 0; i < self.channels.size(); ++i) {
      field(concat("channels_", i + 1), self.channels[i]);
      field(concat("down_", i + 1), self.down[i]);
      field(concat("up_", i + 1), self.up[i]);
    }
    field("layers", self.layers);
    field("out_channels", self.out_channels);
    field("middle", self.middle);
    field("middle_attention", self.middle_attention);
    field("middle_divisor", self.middle_divisor);
    field("middle_attention_groups", self.middle_attention_groups);
    field("dropout", self.dropout);
    field("head_width", self.head_width);
    field("norm_groups", self.norm_groups);
    field("norm_epsilon", self.norm_epsilon);
    field("scale_shift", self.scale_shift);
    field("pad_both_sides", self.pad_both_sides);
    field("down_resize", self.down_resize);
    field("up_resize", self.up_resize);
    field("activation", self.activation);
    field("centre_input", self.centre_input);
    field("time", self.time);
    field("time_width", self.time_width);
    field("frequency_shift", self.frequency_shift);
    field("cosine_first", self.cosine_first);
    field("time_count", self.time_count);
    field("classes", self.classes);
    field("class_count", self.class_count);
  }
};

/// Throws invalid_argument, naming the field, for params from which no network can be made.
inline void check_unet2d(const unet2d_params& p) {
  const auto within = [](std::string_view field, index value, index least, index most) {
    check(value >= least && value <= most, "models::unet2d: ", field, " must lie in [", least, ", ", most, "], got ",
          value);
  };
  constexpr index widest = 16384, longest_table = 1'000'000;
  within("the number of channels", static_cast<index>(p.channels.size()), 1,
         static_cast<index>(unet2d_params::most_levels));
  check(p.down.size() == p.channels.size() && p.up.size() == p.channels.size(),
        "models::unet2d: channels, down and up need one element for each resolution, got ", p.channels.size(), ", ",
        p.down.size(), " and ", p.up.size());
  for (const index c : p.channels) within("channels", c, 1, widest);
  within("layers", p.layers, 1, 64);
  within("out_channels", p.out_channels, 0, widest);
  within("middle_attention_groups", p.middle_attention_groups, 0, widest);
  within("head_width", p.head_width, 0, widest);
  within("norm_groups", p.norm_groups, 1, widest);
  within("time_width", p.time_width, 0, 65536);
  within("time_count", p.time_count, 2, longest_table);
  within("class_count", p.class_count, p.classes == unet2d_class::table ? 1 : 0, longest_table);
  check(p.middle_divisor > 0 && p.middle_divisor <= 1e6, "models::unet2d: middle_divisor must lie in (0, 1e6], got ",
        p.middle_divisor);
  check(p.norm_epsilon > 0 && p.norm_epsilon <= 1, "models::unet2d: norm_epsilon must lie in (0, 1], got ",
        p.norm_epsilon);
  check(p.dropout >= 0 && p.dropout < 1, "models::unet2d: dropout must lie in [0, 1), got ", p.dropout);
  const index half = p.channels.front() / 2;
  check(p.frequency_shift >= 0 && (p.frequency_shift == 0 || p.frequency_shift < static_cast<double>(half)),
        "models::unet2d: frequency_shift must lie in [0, ", half, "), got ", p.frequency_shift);
  const auto name = [](unet2d_block b) { return names_of(b)[static_cast<std::size_t>(b)]; };
  for (std::size_t i = 1; i + 1 < p.down.size(); ++i)  // the last block changes no size, and reads no picture
    check(!is_skip(p.down[i]) || is_skip(p.down[i - 1]),
          "models::unet2d: before a skip block on the way down all must be, got ", name(p.down[i - 1]), " at place ",
          i);
  for (std::size_t i = 1; i < p.up.size(); ++i)
    check(is_skip(p.up[i]) || !is_skip(p.up[i - 1]),
          "models::unet2d: after a skip block on the way up all must be, got ", name(p.up[i]), " at place ", i + 1);
}

}  // namespace anodiff::models
