// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/corruptions/noise_family.hpp>
#include <anodiff/ops/simplex_noise.hpp>

namespace anodiff::corruptions {

struct simplex_params {
  index octaves = 6;   ///< each twice as fine as the one before; [1, 16]
  double decay = 0.8;  ///< amplitude of an octave as share of the one before; (0, 1]
  double period = 64;  ///< pixels of a lattice unit of the first octave; the last one's must be at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("octaves", self.octaves);
    field("decay", self.decay);
    field("period", self.period);
  }
};

/// x_t = alpha x_0 + sigma n with n simplex noise in octaves, of variance 1 at each pixel: it damages coarse structure
/// at levels where Gaussian noise leaves it readable. Wyatt et al. 2022 (AnoDDPM), CVPR workshops, section 3.2; their
/// "frequency 64" divides pixel coordinates, and is this period. Theirs is not brought to variance 1. Needs samples
/// (height, width, channels); channels have noise of their own.
class simplex {
 public:
  using params = simplex_params;
  static constexpr std::string_view name = "simplex";

  explicit simplex(params p = {}) : params_{p} {
    check(p.octaves >= 1 && p.octaves <= 16, "corruptions::simplex: octaves must lie in [1, 16], got ", p.octaves);
    check(p.decay > 0 && p.decay <= 1, "corruptions::simplex: decay must lie in (0, 1], got ", p.decay);
    const double finest = p.period / std::exp2(static_cast<double>(p.octaves - 1));
    check(finest >= 1 && p.period <= 1e6,
          "corruptions::simplex: the period must be at most 1e6 pixels and that of the "
          "last octave at least 1, got ",
          p.period, " and ", finest);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void noise(Engine& engine, const noise_batch<typename Engine::real>& b) const {
    check_pictures("corruptions::simplex", b);
    engine.run(ops::simplex_noise<typename Engine::real>{b.out,
                                                         b.rows,
                                                         b.sample[0],
                                                         b.sample[1],
                                                         b.sample[2],
                                                         params_.octaves,
                                                         params_.decay,
                                                         params_.period,
                                                         {b.key, b.draws, 0}});
  }
  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    noise(engine, noise_of(b, b.target));
    parallel_for(engine.pool(), b.rows, 1, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        const index l = b.level[i], at = i * b.row_size;
        for (index e = at; e < at + b.row_size; ++e) {
          const real x = b.x[e], n = b.target[e];
          b.damaged[e] = b.alpha[l] * x + b.sigma[l] * n;
          b.target[e] = b.clean[l] * x + b.noise[l] * n;
        }
      }
    });
  }

 private:
  params params_;
};

}  // namespace anodiff::corruptions
