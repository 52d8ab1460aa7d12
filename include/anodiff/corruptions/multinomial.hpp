// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/core/check.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/shape.hpp>
#include <anodiff/ops/classes.hpp>
#include <span>

namespace anodiff::corruptions {

/// Diffusion of one categorical column of K classes: with the share ᾱ of a level a class stays what it is, else it is
/// drawn evenly from all K. Hoogeboom et al. 2021, arXiv:2102.05379, section 4. A level's ᾱ is alpha² / (alpha² +
/// sigma²), which is alpha² where the schedule keeps the variance.
class multinomial {
 public:
  /// Throws invalid_argument for fewer than two classes.
  explicit multinomial(index classes) : classes_{classes} {
    check(classes >= 2 && classes <= 1 << 20, "corruptions::multinomial: classes must lie in [2, 2^20], got ", classes);
  }
  [[nodiscard]] index classes() const noexcept { return classes_; }
  /// ᾱ of a level.
  [[nodiscard]] static double kept(const noise_level& level) noexcept {
    return ops::kept_share(level.alpha, level.sigma);
  }

  /// q(x_t | x_0), eq. 12: out = ᾱ p + (1 − ᾱ) / K for the law p of x_0, or its one-hot vector. out may be p.
  void diffuse(std::span<const double> p, double kept, std::span<double> out) const {
    check_size("p", p.size());
    check_size("out", out.size());
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = kept * p[k] + (1 - kept) / static_cast<double>(classes_);
  }
  /// q(x_s | x_t, x_0), eq. 13, for a cleaner level s, kept_s >= kept_t: of x_t's class and the law p of x_0, into out.
  /// The steps between s and t keep a class with the share kept_t / kept_s.
  void posterior(index now, std::span<const double> p, double kept_t, double kept_s, std::span<double> out) const {
    check(now >= 0 && now < classes_, "corruptions::multinomial: the class must lie in [0, ", classes_ - 1, "], got ",
          now);
    check(kept_s >= kept_t && kept_t >= 0 && kept_s <= 1 && kept_s > 0,
          "corruptions::multinomial: need 0 <= kept_t <= kept_s <= 1 and kept_s above 0, got ", kept_t, " and ",
          kept_s);
    diffuse(p, kept_s, out);
    const double step = kept_t / kept_s, even = (1 - step) / static_cast<double>(classes_);
    double sum = 0;
    for (std::size_t k = 0; k < out.size(); ++k) sum += out[k] *= even + (static_cast<index>(k) == now ? step : 0);
    check<numeric_error>(sum > 0, "corruptions::multinomial: class ", now,
                         " cannot have come from the given law without noise");
    for (double& v : out) v /= sum;
  }
  /// One class of law p, by the key's word at `element`.
  [[nodiscard]] static index draw(std::span<const double> p, const noise_key& key, std::uint64_t element) noexcept {
    double left = random_uniform(key, element);
    for (std::size_t k = 0; k + 1 < p.size(); ++k)
      if ((left -= p[k]) < 0) return static_cast<index>(k);
    return static_cast<index>(p.size()) - 1;
  }

 private:
  void check_size(const char* what, std::size_t size) const {
    check(static_cast<index>(size) == classes_, "corruptions::multinomial: ", what, " needs ", classes_,
          " shares, got ", size);
  }
  index classes_;
};

}  // namespace anodiff::corruptions
