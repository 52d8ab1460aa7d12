// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/corruption.hpp>
#include <anodiff/core/check.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/corruptions/damage_shapes.hpp>
#include <anodiff/corruptions/noise_family.hpp>

namespace anodiff::corruptions {

struct drawn_damage_params {
  double share = 0.7;     ///< of the samples that are damaged; the others are only noised; [0, 1]
  index most = 3;         ///< pieces of damage in a sample, at least one; [1, 64]
  double smallest = 1.5;  ///< radius of a blob or box in pixels; above 0
  double largest = 12;    ///< likewise; at least `smallest`
  double soft = 0.25;     ///< share of the pieces that are hills without an edge, twice as large; [0, 1]
  double weakest = 0.5;   ///< change of brightness in units of the sample; above 0
  double strongest = 5;   ///< likewise; at least `weakest`
  double dark = 0.6;      ///< share of the changes that darken; [0, 1]

  static constexpr void fields(auto& self, auto&& field) {
    field("share", self.share);
    field("most", self.most);
    field("smallest", self.smallest);
    field("largest", self.largest);
    field("soft", self.soft);
    field("weakest", self.weakest);
    field("strongest", self.strongest);
    field("dark", self.dark);
  }
};

/// x_t = alpha D(x_0) + sigma ε, where D draws blobs, boxes, bent lines and soft hills into a picture, as a shift of
/// its brightness, a flat patch, or a patch of the picture itself from elsewhere: what the network learns to take away.
/// Cold diffusion (Bansal et al. 2022, arXiv:2208.09392) with the damage of Zavrtanik et al. 2021 (DRAEM,
/// arXiv:2108.07610, section 3.3) drawn instead of taken from other pictures, under noise. Needs samples (height,
/// width, channels).
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
    share("dark", p.dark);
    check(p.most >= 1 && p.most <= 64, "corruptions::drawn_damage: most must lie in [1, 64], got ", p.most);
    const auto range = [](const char* what, double low, double high) {
      check(low > 0 && low <= high && high <= 1e4, "corruptions::drawn_damage: ", what,
            " must be 0 < low <= high, got ", low, " and ", high);
    };
    range("smallest and largest", p.smallest, p.largest);
    range("weakest and strongest", p.weakest, p.strongest);
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
    if (!draw.chance(params_.share)) return;
    for (index pieces = 1 + draw.below(params_.most); pieces > 0; --pieces) draw_piece(picture, clean, draw);
  }

 private:
  /// What a piece of damage puts in a pixel's place.
  enum class filling { shift, flat, elsewhere };

  template <class T>
  void draw_piece(tensor_view<T, 3> picture, const T* clean, drawn_numbers& draw) const {
    const index height = picture.extent(0), width = picture.extent(1), channels = picture.extent(2);
    const double y = draw.uniform(0, static_cast<double>(height)), x = draw.uniform(0, static_cast<double>(width));
    const double size = draw.log_uniform(params_.smallest, params_.largest);
    const double change = draw.log_uniform(params_.weakest, params_.strongest) * (draw.chance(params_.dark) ? -1 : 1);
    const double edge = draw.uniform(0.7, 2), opacity = draw.uniform(0.4, 1);
    const double kind = draw.uniform();
    const filling what = kind < 0.5 ? filling::shift : kind < 0.75 ? filling::flat : filling::elsewhere;
    const index down = 1 + draw.below(std::max<index>(1, height - 1)),
                right = 1 + draw.below(std::max<index>(1, width - 1));
    const auto paint = [&](filling fill, index i, index j, double share) {
      const index from = ((i + down) % height * width + (j + right) % width) * channels;
      T* pixel = picture.data() + (i * width + j) * channels;
      for (index c = 0; c < channels; ++c) {
        const auto old = static_cast<double>(pixel[c]);
        const double wanted = fill == filling::shift  ? old + change
                              : fill == filling::flat ? change
                                                      : static_cast<double>(clean[from + c]) + 0.3 * change;
        pixel[c] = static_cast<T>(old + share * (wanted - old));
      }
    };
    const auto cover = [&](const auto& shape, filling fill, double full) {
      for_each_covered(shape, y, x, edge, height, width,
                       [&](index i, index j, double share) { paint(fill, i, j, full * share); });
    };
    if (draw.chance(params_.soft)) return cover(hill{draw, 2 * size}, filling::shift, 0.5 * opacity);
    switch (draw.below(3)) {
      case 0:
        return cover(blob_outline{draw, size}, what, opacity);
      case 1:
        return cover(box_outline{draw, size}, what, opacity);
      default:
        return cover(line_outline{draw, size * draw.uniform(2, 5), draw.uniform(0.8, 2.5)}, what, opacity);
    }
  }

  params params_;
};

}  // namespace anodiff::corruptions
