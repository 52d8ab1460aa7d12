// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/corruptions/noise_family.hpp>
#include <anodiff/corruptions/simplex.hpp>

namespace anodiff::corruptions {

template <class Noise>
struct patch_params : Noise::params {
  index size = 32;  ///< side of a patch in pixels; pictures smaller than it are one patch; [1, 4096]

  static constexpr void fields(auto& self, auto&& field) {
    Noise::params::fields(self, field);
    field("size", self.size);
  }
};

/// A rectangle of pixels.
struct picture_patch {
  index top, left, height, width;
};

/// One patch of a picture is noised, alpha x_0 + sigma n, all around it is left clean, and the loss counts in the patch
/// alone: the network learns to rebuild a patch from what surrounds it. The patches are those of a fixed grid. Behrendt
/// et al. 2023 (pDDPM), arXiv:2303.03758, section 2.2. Noise gives the noise: gaussian, or simplex as in the paper.
/// Needs samples (height, width, channels).
template <class Noise = simplex>
class patch {
 public:
  using params = patch_params<Noise>;
  using noise_policy = Noise;
  static constexpr std::string_view name = "patch";

  explicit patch(params p = {}) : params_{p}, noise_{p} {
    check(p.size >= 1 && p.size <= 4096, "corruptions::patch: size must lie in [1, 4096], got ", p.size);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// Patches that cover (height, width), line by line; the last of a line or column ends at the border, and so overlaps
  /// the one before.
  [[nodiscard]] index count(index height, index width) const noexcept { return along(height) * along(width); }
  [[nodiscard]] picture_patch at(index number, index height, index width) const noexcept {
    const index h = std::min(params_.size, height), w = std::min(params_.size, width);
    return {std::min(number / along(width) * params_.size, height - h),
            std::min(number % along(width) * params_.size, width - w), h, w};
  }
  /// The patch of a training sample.
  [[nodiscard]] picture_patch drawn(noise_key key, std::uint32_t draw, std::span<const index> sample) const noexcept {
    key.draw = draw;
    key.use = purpose::augmentation;  // elements 0 to 3 of it place the crop
    const index patches = count(sample[0], sample[1]);
    return at(static_cast<index>(random_below(key, 16, static_cast<std::uint64_t>(patches))), sample[0], sample[1]);
  }

  /// Fills a batch with the noise, whichever it is.
  template <class Engine>
  void fill(Engine& engine, const noise_batch<typename Engine::real>& b) const {
    fill_noise(noise_, engine, b);
  }
  template <class Engine>
  requires part::has_noise_of_its_own<Noise, Engine>
  void noise(Engine& engine, const noise_batch<typename Engine::real>& b) const { noise_.noise(engine, b); }

  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    check_pictures("corruptions::patch", b);
    fill_noise(noise_, engine, noise_of(b, b.target));
    parallel_for(engine.pool(), b.rows, 1, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        const index l = b.level[i], begin = i * b.row_size;
        std::copy_n(b.x + begin, b.row_size, b.damaged + begin);
        for_each_line(drawn(b.key, b.draws[i], b.sample), b.sample, [&](index from, index to) {
          for (index e = begin + from; e < begin + to; ++e)
            b.damaged[e] = b.alpha[l] * b.x[e] + b.sigma[l] * b.target[e];
        });
        for (index e = begin; e < begin + b.row_size; ++e) b.target[e] = b.clean[l] * b.x[e] + b.noise[l] * b.target[e];
      }
    });
  }
  /// Outside its patch a sample's target becomes the network's output, whose loss is 0.
  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void narrow(Engine& engine, const corruption_batch<typename Engine::real>& b,
              const typename Engine::real* output) const {
    parallel_for(engine.pool(), b.rows, 1, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        const index begin = i * b.row_size;
        index done = 0;
        const auto copy_to = [&](index end) {
          std::copy(output + begin + done, output + begin + end, b.target + begin + done);
        };
        for_each_line(drawn(b.key, b.draws[i], b.sample), b.sample, [&](index from, index to) {
          copy_to(from);
          done = to;
        });
        copy_to(b.row_size);
      }
    });
  }

  /// Calls f(first, last) with the elements of each line of a patch in a sample, from the top.
  template <class F>
  static void for_each_line(const picture_patch& p, std::span<const index> sample, F&& f) {
    for (index i = p.top; i < p.top + p.height; ++i) {
      const index first = (i * sample[1] + p.left) * sample[2];
      f(first, first + p.width * sample[2]);
    }
  }

 private:
  [[nodiscard]] index along(index extent) const noexcept {
    return std::max<index>(1, (extent + params_.size - 1) / params_.size);
  }

  params params_;
  Noise noise_;
};

}  // namespace anodiff::corruptions
