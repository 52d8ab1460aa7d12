// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/corruption.hpp>
#include <anodiff/core/check.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/corruptions/damage_shapes.hpp>
#include <anodiff/corruptions/noise_family.hpp>

namespace anodiff::corruptions {

struct drawn_damage_params {
  double share = 0.7;       ///< of the samples into which damage is drawn; [0, 1]
  index most = 3;           ///< pieces of damage in such a sample, at least one; [1, 64]
  double smallest = 1.2;    ///< radius of a blob, half the longer side of a box, in pixels; above 0
  double largest = 8;       ///< likewise; at least `smallest`
  double longest = 50;      ///< length of a line in pixels; at least 4
  double soft = 0.5;        ///< share of the pieces whose edge is wider than a pixel, up to 5 pixels; [0, 1]
  double hills = 0.1;       ///< share of the pieces that have no edge at all: hills, three times as large; [0, 1]
  double weakest = 0.7;     ///< change of brightness in units of the sample, uniform in its logarithm; above 0
  double strongest = 5;     ///< likewise; at least `weakest`
  double dark = 0.6;        ///< share of the changes that darken; [0, 1]
  double hidden = 0.3;      ///< of the samples in which blocks are hidden; fewer of these are damaged too; [0, 1]
  double hiding_sigma = 2;  ///< of the noise that hides a block; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("share", self.share);
    field("most", self.most);
    field("smallest", self.smallest);
    field("largest", self.largest);
    field("longest", self.longest);
    field("soft", self.soft);
    field("hills", self.hills);
    field("weakest", self.weakest);
    field("strongest", self.strongest);
    field("dark", self.dark);
    field("hidden", self.hidden);
    field("hiding_sigma", self.hiding_sigma);
  }
};

/// x_t = alpha D(x_0) + sigma ε, where D draws blobs, boxes, bent lines and soft hills into a picture, as a shift of
/// its brightness, a flat patch, a patch of the picture itself from elsewhere, or a change of its contrast, and hides
/// blocks of it behind noise: what the network learns to take away, and to fill in. Cold diffusion (Bansal et al. 2022,
/// arXiv:2208.09392) with the damage of Zavrtanik et al. 2021 (DRAEM, arXiv:2108.07610, section 3.3) drawn instead of
/// taken from other pictures, under noise. Needs samples (height, width, channels).
class drawn_damage {
 public:
  using params = drawn_damage_params;
  static constexpr std::string_view name = "drawn_damage";

  explicit drawn_damage(params p = {}) : params_{p} {
    const auto share = [](const char* what, double v) {
      check(v >= 0 && v <= 1, "corruptions::drawn_damage: ", what, " must lie in [0, 1], got ", v);
    };
    share("share", p.share);
    share("soft", p.soft);
    share("hills", p.hills);
    share("hidden", p.hidden);
    share("dark", p.dark);
    check(p.most >= 1 && p.most <= 64, "corruptions::drawn_damage: most must lie in [1, 64], got ", p.most);
    const auto range = [](const char* what, double low, double high) {
      check(low > 0 && low <= high && high <= 1e4, "corruptions::drawn_damage: ", what,
            " must be 0 < low <= high, got ", low, " and ", high);
    };
    range("smallest and largest", p.smallest, p.largest);
    range("weakest and strongest", p.weakest, p.strongest);
    check(p.longest >= 4 && p.longest <= 1e4, "corruptions::drawn_damage: longest must lie in [4, 10000], got ",
          p.longest);
    check(p.hiding_sigma > 0, "corruptions::drawn_damage: hiding_sigma must be above 0, got ", p.hiding_sigma);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    check_pictures("corruptions::drawn_damage", b);
    engine.run(ops::fill_normal<real>{b.target, b.rows, b.row_size, {b.key, b.draws, 0}});
    parallel_for(engine.pool(), b.rows, 1, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        const real* x = b.x + i * b.row_size;
        real* damaged = b.damaged + i * b.row_size;
        std::copy(x, x + b.row_size, damaged);
        noise_key key = b.key;
        key.draw = b.draws[i];
        draw({damaged, {b.sample[0], b.sample[1], b.sample[2]}}, x,
             {key, static_cast<std::uint64_t>(b.row_size + 3) / 4 * 4});
        noise_damaged_row(b, i);
      }
    });
  }

  /// Draws damage into one picture (height, width, channels), which holds a copy of `clean`.
  template <class T>
  void draw(tensor_view<T, 3> picture, const T* clean, drawn_numbers draw) const {
    const bool hides = draw.chance(params_.hidden);
    if (draw.chance(hides ? 0.4 * params_.share : params_.share))
      for (index pieces = 1 + draw.below(params_.most); pieces > 0; --pieces) draw_piece(picture, clean, draw);
    if (hides) hide_blocks(picture, draw);
  }

 private:
  /// What a piece of damage does to a pixel.
  enum class filling { shift, flat, elsewhere, contrast };

  template <class T>
  void draw_piece(tensor_view<T, 3> picture, const T* clean, drawn_numbers& draw) const {
    const index height = picture.extent(0), width = picture.extent(1), channels = picture.extent(2);
    const double y = draw.uniform(-2, static_cast<double>(height) + 2),
                 x = draw.uniform(-2, static_cast<double>(width) + 2);
    const double size = draw.log_uniform(params_.smallest, params_.largest);
    const double change = draw.log_uniform(params_.weakest, params_.strongest) * (draw.chance(params_.dark) ? -1 : 1);
    const double edge = draw.chance(params_.soft) ? draw.uniform(1, 5) : 1;
    const double kind = draw.uniform();
    const filling what = kind < 0.55   ? filling::shift
                         : kind < 0.75 ? filling::flat
                         : kind < 0.9  ? filling::elsewhere
                                       : filling::contrast;
    const double opacity = what == filling::shift ? 1 : draw.uniform(0.3, 1);
    const double factor = draw.chance(0.5) ? draw.uniform(0, 0.4) : draw.uniform(1.8, 3);
    const double moved = draw.chance(0.5) ? change / 2 : 0;
    const index down = 1 + draw.below(std::max<index>(1, height - 1)),
                right = 1 + draw.below(std::max<index>(1, width - 1));
    const auto wanted = [&](filling fill, double old, double other) {
      switch (fill) {
        case filling::shift:
          return old + change;
        case filling::flat:
          return change;
        case filling::elsewhere:
          return other + moved;
        default:
          return old * factor;
      }
    };
    const auto cover = [&](const auto& shape, filling fill, double full) {
      for_each_covered(shape, y, x, edge, height, width, [&](index i, index j, double share) {
        const index from = ((i + down) % height * width + (j + right) % width) * channels;
        T* pixel = picture.data() + (i * width + j) * channels;
        for (index c = 0; c < channels; ++c) {
          const auto old = static_cast<double>(pixel[c]);
          pixel[c] =
              static_cast<T>(old + full * share * (wanted(fill, old, static_cast<double>(clean[from + c])) - old));
        }
      });
    };
    if (draw.chance(params_.hills)) return cover(hill{draw, 3 * size}, filling::shift, 0.4);
    const double shape = draw.uniform();
    if (shape < 0.55) return cover(blob_outline{draw, size}, what, opacity);
    if (shape < 0.7) return cover(box_outline{draw, size}, what, opacity);
    return cover(line_outline{draw, draw.log_uniform(4, params_.longest) / 2, draw.log_uniform(1, 5)}, what, opacity);
  }

  /// Every second block in a chessboard, or every fourth in a grid.
  template <class T>
  void hide_blocks(tensor_view<T, 3> picture, drawn_numbers& draw) const {
    constexpr std::array<index, 4> sides{4, 6, 8, 12};
    const index side = sides[static_cast<std::size_t>(draw.below(4))], down = draw.below(2 * side),
                right = draw.below(2 * side);
    const bool chessboard = draw.chance(2.0 / 3);
    const index width = picture.extent(1), channels = picture.extent(2);
    for (index i = 0; i < picture.extent(0); ++i)
      for (index j = 0; j < width; ++j) {
        const index row = (i + down) / side % 2, column = (j + right) / side % 2;
        if (chessboard ? row != column : row + column > 0) continue;
        for (index c = 0; c < channels; ++c)
          picture.data()[(i * width + j) * channels + c] = static_cast<T>(params_.hiding_sigma * draw.normal());
      }
  }

  params params_;
};

}  // namespace anodiff::corruptions
