// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/models/unet2d_blocks.hpp>
#include <anodiff/nn/affine.hpp>
#include <anodiff/nn/columns.hpp>

namespace anodiff::models {

/// The U-Net of diffusion models for pictures (Ho et al. 2020, arXiv:2006.11239, appendix B), with all blocks and
/// options of UNet2DModel of diffusers 0.42, under the same names: io/diffusers.hpp reads its checkpoints. Throws
/// invalid_argument for a picture whose height or width is no multiple of 2^(resolutions − 1), channels that the groups
/// do not divide, or skip blocks on pictures of other than 3 channels.
class unet2d_architecture {
 public:
  using params = unet2d_params;
  static constexpr std::string_view name = "unet2d";

  explicit unet2d_architecture(params p = {}) : params_{std::move(p)} { check_unet2d(params_); }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  /// What height and width must be a multiple of.
  [[nodiscard]] index granule() const noexcept { return index{1} << (params_.channels.size() - 1); }
  [[nodiscard]] index time_width() const noexcept {
    return params_.time_width > 0 ? params_.time_width : 4 * params_.channels.front();
  }

  /// The same network told a class: the number of one, or a vector of time_width() for classes = identity. Several, one
  /// after another, are those of the levels of a run, in their order. Throws invalid_argument for another number of
  /// values, or a class that is not there.
  [[nodiscard]] unet2d_architecture with_class(std::vector<double> told) const {
    const index width = told_width(), count = static_cast<index>(told.size());
    check(width > 0 && count > 0 && count % width == 0, "models::unet2d: classes of ", width,
          " values each can be told, got ", count, " values");
    if (params_.classes == unet2d_class::table)
      for (const double c : told)
        check(c >= 0 && c < static_cast<double>(params_.class_count) && c == std::trunc(c),
              "models::unet2d: a class must be a whole number in [0, ", params_.class_count, "), got ", c);
    auto out = *this;
    out.told_ = std::move(told);
    return out;
  }

  /// Columns of the features of a level: those of its time, of its class, and what the output is multiplied by.
  [[nodiscard]] index time_features() const noexcept {
    return time_columns() + class_columns() + (params_.time == unet2d_time::fourier ? 1 : 0);
  }
  /// Fills (levels, time_features()). Tables and drawn frequencies are read from the store: they are not trained.
  template <class T>
  void features(std::span<const double> times, const nn::parameter_store<T>& store, T* out) const {
    const index width = told_width(), told = width > 0 ? static_cast<index>(told_.size()) / width : 0;
    const auto levels = static_cast<index>(times.size());
    check(width == 0 || told == 1 || told == levels, "models::unet2d: needs one class, or one for each of ", levels,
          " noise levels, got ", told, ": see with_class");
    for (index i = 0; i < levels; ++i, out += time_features()) {
      const double time = times[static_cast<std::size_t>(i)];
      describe(time, store, out);
      T* const of_class = out + time_columns();
      const double* const c = width > 0 ? told_.data() + (told == 1 ? 0 : i * width) : nullptr;
      if (params_.classes == unet2d_class::timestep) describe(*c, store, of_class);
      if (params_.classes == unet2d_class::identity)
        for (index k = 0; k < width; ++k) of_class[k] = static_cast<T>(c[k]);
      if (params_.classes == unet2d_class::table)
        copy_row(store, "class_embedding.weight", static_cast<index>(*c), of_class);
      if (params_.time == unet2d_time::fourier) of_class[class_columns()] = static_cast<T>(1 / time);
    }
  }

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value features) const {
    const nn::image_shape image = t.image(x, "models::unet2d");
    check(image.height % granule() == 0 && image.width % granule() == 0,
          "models::unet2d: height and width must be multiples of ", granule(), ", got ", image.height, " by ",
          image.width);
    const index out = params_.out_channels == 0 ? image.channels : params_.out_channels;
    check_skips(image.channels, out);
    if (params_.centre_input) x = nn::affine(t, x, {.scale = 2, .offset = -1});
    unet2d_blocks<Tape> blocks{t, params_, embedded(t, features)};
    unet2d_state s{.h = nn::conv2d(t, "conv_in", x, params_.channels.front()), .picture = x};
    s.skips.push_back(s.h);
    for (std::size_t i = 0; i < params_.down.size(); ++i) blocks.down(i, s);
    if (params_.middle) blocks.middle(s);
    s.picture = {};
    for (std::size_t i = 0; i < params_.up.size(); ++i) blocks.up(i, s);
    s.h = blocks.recorder().norm("conv_norm_out", s.h, params_.norm_groups, ops::activation::silu);
    s.h = nn::conv2d(t, "conv_out", s.h, out, {.residual = s.picture});
    if (params_.time != unet2d_time::fourier) return s.h;
    return nn::affine(t, s.h, {.factor = nn::columns(t, features, time_features() - 1, 1)});
  }

 private:
  [[nodiscard]] index time_columns() const noexcept {
    return params_.time == unet2d_time::fourier ? 2 * params_.channels.front() : params_.channels.front();
  }
  [[nodiscard]] index class_columns() const noexcept {
    if (params_.classes == unet2d_class::none) return 0;
    return params_.classes == unet2d_class::timestep ? time_columns() : time_width();
  }
  /// Values that name a class.
  [[nodiscard]] index told_width() const noexcept {
    if (params_.classes == unet2d_class::none) return 0;
    return params_.classes == unet2d_class::identity ? time_width() : 1;
  }
  void check_skips(index in, index out) const {
    constexpr index needed = 3;
    for (std::size_t i = 0; i + 1 < params_.down.size(); ++i) {
      check(!is_skip(params_.down[i]) || in == needed, "models::unet2d: skip blocks need pictures of ", needed,
            " channels, got ", in);
      check(!is_skip(params_.up[i]) || out == needed, "models::unet2d: skip blocks need an output of ", needed,
            " channels, got ", out);
    }
  }
  /// The columns of one time.
  template <class T>
  void describe(double time, const nn::parameter_store<T>& store, T* out) const {
    const index width = params_.channels.front(), half = width / 2;
    switch (params_.time) {
      case unet2d_time::learned:
        check(time >= 0 && time < static_cast<double>(params_.time_count) && time == std::trunc(time),
              "models::unet2d: a time must be a whole number in [0, ", params_.time_count, "), got ", time);
        return copy_row(store, "time_proj.weight", static_cast<index>(time), out);
      case unet2d_time::fourier: {
        check(time > 0, "models::unet2d: a time must be above 0, got ", time);
        const T* const frequency = store.at(*store.find("time_proj.weight"));
        for (index k = 0; k < width; ++k) {
          const double angle = 2 * std::numbers::pi * std::log(time) * static_cast<double>(frequency[k]);
          out[k] = static_cast<T>(std::sin(angle));
          out[width + k] = static_cast<T>(std::cos(angle));
        }
        return;
      }
      default:
        for (index k = 0; k < half; ++k) {
          const double angle = time * std::exp(-std::log(10000.0) * static_cast<double>(k) /
                                               (static_cast<double>(half) - params_.frequency_shift));
          out[params_.cosine_first ? half + k : k] = static_cast<T>(std::sin(angle));
          out[params_.cosine_first ? k : half + k] = static_cast<T>(std::cos(angle));
        }
        if (width % 2 == 1) out[width - 1] = 0;
    }
  }
  template <class T>
  static void copy_row(const nn::parameter_store<T>& store, std::string_view table, index row, T* out) {
    const auto* const p = store.find(table);
    std::copy_n(store.at(*p) + row * p->columns, p->columns, out);
  }
  /// The time embedding, with that of the class added, after the nonlinearity.
  template <class Tape>
  [[nodiscard]] nn::value embedded(Tape& t, nn::value features) const {
    const index width = time_width(), first = time_columns(), c0 = params_.channels.front();
    if (params_.time == unet2d_time::fourier) (void)t.declare("time_proj.weight", 1, c0, initial_frequency, 1);
    if (params_.time == unet2d_time::learned)
      (void)t.declare("time_proj.weight", params_.time_count, c0, nn::initial::fan_in, 1);
    const auto layers = [&](const std::string& prefix, nn::value from, nn::value residual) {
      const nn::value hidden = nn::linear(t, prefix + ".linear_1", from, width, {.activation = ops::activation::silu});
      return nn::linear(t, prefix + ".linear_2", hidden, width, {.residual = residual});
    };
    nn::value of_class{};
    if (params_.classes != unet2d_class::none) of_class = nn::columns(t, features, first, class_columns());
    if (params_.classes == unet2d_class::timestep) of_class = layers("class_embedding", of_class, {});
    if (params_.classes == unet2d_class::table)
      (void)t.declare("class_embedding.weight", params_.class_count, width, nn::initial::fan_in, 1);
    const nn::value of_time = t.width(features) == first ? features : nn::columns(t, features, 0, first);
    return nn::activate(t, layers("time_embedding", of_time, of_class),
                        params_.activation == unet2d_activation::relu ? ops::activation::relu : ops::activation::silu);
  }
  static constexpr auto initial_frequency = nn::initial::fan_in;  // a checkpoint brings its own

  params params_;
  std::vector<double> told_;
};

/// A unet2d on an engine; see neural for what it can do.
template <engine Engine>
using unet2d = neural<unet2d_architecture, Engine>;

}  // namespace anodiff::models
