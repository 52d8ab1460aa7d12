// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/io/diffusers_config.hpp>
#include <anodiff/models/unet2d_params.hpp>

namespace anodiff::io {

/// A config.json of UNet2DModel in this library's terms.
struct diffusers_unet {
  models::unet2d_params params;
  index in_channels = 3;
  index height = 0, width = 0;  ///< of its pictures; 0 where the file does not say
  std::vector<std::string> notes;
};

namespace detail {

inline constexpr std::array<std::string_view, 5> diffusers_down{
    "DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D"};
inline constexpr std::array<std::string_view, 5> diffusers_up{"UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D",
                                                              "SkipUpBlock2D", "AttnSkipUpBlock2D"};

[[nodiscard]] inline std::vector<models::unet2d_block> diffusers_blocks(
    diffusers_config& config, std::string_view key, const std::array<std::string_view, 5>& names,
    std::initializer_list<std::string_view> fallback) {
  std::vector<models::unet2d_block> out;
  for (const std::size_t place :
       config.choices(key, {fallback.begin(), fallback.size()}, names, "UNetRes", models::unet2d_params::most_levels))
    out.push_back(static_cast<models::unet2d_block>(place));
  return out;
}

}  // namespace detail

/// Keys, defaults and meanings of diffusers 0.42. Throws data_error, naming file and key, for what is unknown or out of
/// range, and for blocks that do not fit together.
[[nodiscard]] inline diffusers_unet read_diffusers_unet(diffusers_config config) {
  using models::unet2d_class, models::unet2d_time;
  constexpr index widest = 16384, longest_table = 1'000'000;
  constexpr std::array<std::string_view, 1> model_names{"UNet2DModel"}, middle_names{"UNetMidBlock2D"};
  constexpr std::array<std::string_view, 2> resize_names{"conv", "resnet"};
  constexpr std::array<index, 4> default_channels{224, 448, 672, 896};
  diffusers_unet out;
  auto& p = out.params;
  (void)config.choice("_class_name", model_names[0], model_names);
  if (const auto* size = config.ask("sample_size")) {
    const bool pair = size->is_array();
    const auto sides = pair ? config.wholes("sample_size", {}, 1, 65536, 2)
                            : std::vector<index>(2, config.whole("sample_size", 0, 1, 65536));
    check<data_error>(sides.size() == 2, config.who("sample_size"), " needs a number or two, got ", sides.size());
    out.height = sides[0];
    out.width = sides[1];
  }
  out.in_channels = config.whole("in_channels", 3, 1, widest);
  p.out_channels = config.whole("out_channels", 3, 1, widest);
  p.centre_input = config.flag("center_input_sample", false);
  p.time = static_cast<unet2d_time>(config.choice("time_embedding_type", "positional", names_of(unet2d_time{})));
  p.time_width = config.whole("time_embedding_dim", 0, 0, 65536);
  p.frequency_shift = config.number("freq_shift", 0, 0, widest);
  p.cosine_first = config.flag("flip_sin_to_cos", true);
  p.channels = config.wholes("block_out_channels", default_channels, 1, widest, models::unet2d_params::most_levels);
  p.down = detail::diffusers_blocks(config, "down_block_types", detail::diffusers_down,
                                    {"DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"});
  p.up = detail::diffusers_blocks(config, "up_block_types", detail::diffusers_up,
                                  {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"});
  p.middle = !config.is_null("mid_block_type");
  (void)config.choice("mid_block_type", middle_names[0], middle_names);
  p.middle_attention = config.flag("add_attention", true);
  p.middle_divisor = config.number("mid_block_scale_factor", 1, 1e-6, 1e6);
  p.middle_attention_groups = config.whole("attn_norm_num_groups", 0, 1, widest);
  p.layers = config.whole("layers_per_block", 2, 1, 64);
  p.pad_both_sides = config.whole("downsample_padding", 1, 0, 1) == 1;
  p.down_resize = static_cast<models::unet2d_resize>(config.choice("downsample_type", "conv", resize_names));
  p.up_resize = static_cast<models::unet2d_resize>(config.choice("upsample_type", "conv", resize_names));
  p.dropout = config.number("dropout", 0, 0, 0.999);
  constexpr std::array<std::string_view, 3> activations{"silu", "swish", "relu"};
  p.activation = config.choice("act_fn", "silu", activations) == 2 ? models::unet2d_activation::relu
                                                                   : models::unet2d_activation::silu;
  p.head_width = config.is_null("attention_head_dim") ? 0 : config.whole("attention_head_dim", 8, 1, widest);
  p.norm_groups = config.whole("norm_num_groups", 32, 1, widest);
  p.norm_epsilon = config.number("norm_eps", 1e-5, 1e-12, 1);
  p.scale_shift = config.choice("resnet_time_scale_shift", "default",
                                std::array<std::string_view, 2>{"default", "scale_shift"}) == 1;
  const index classes = config.whole("num_class_embeds", 0, 0, longest_table);
  if (config.ask("class_embed_type", "null") != nullptr)
    p.classes = config.choice("class_embed_type", "", std::array<std::string_view, 2>{"timestep", "identity"}) == 0
                    ? unet2d_class::timestep
                    : unet2d_class::identity;
  else if (classes > 0)
    p.classes = unet2d_class::table;
  p.class_count = p.classes == unet2d_class::table ? classes : 0;
  const index times = config.whole("num_train_timesteps", 0, 0, longest_table);
  if (p.time == unet2d_time::learned) {
    check<data_error>(times > 1, config.who("num_train_timesteps"),
                      " must be given where time_embedding_type is learned");
    p.time_count = times;
  }
  try {
    models::check_unet2d(p);
  } catch (const invalid_argument& fault) {
    throw data_error(concat(config.name(), ": ", fault.what()));
  }
  out.notes = config.notes();
  return out;
}

}  // namespace anodiff::io
