// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/ops/classes.hpp>

namespace anodiff::corruptions {

/// Gaussian noise on numbers, multinomial noise on categories: the two diffusions of TabDDPM (Kotelnikov et al. 2022,
/// arXiv:2209.15421, section 3) at the same level, the latter as corruptions::multinomial has it. A number's target is
/// the prediction's, that of a category's indicators the class it held, of which the network gives the logits.
class gaussian_multinomial {
 public:
  using params = no_params;
  static constexpr std::string_view name = "gaussian_multinomial";
  static constexpr bool damages_classes = true;

  explicit gaussian_multinomial(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    gaussian{}.corrupt(engine, b);
    index first = 0;
    for (const index size : b.groups) {
      const std::uint64_t element = ops::class_element(b.row_size, first);
      for (index i = 0; i < b.rows && size > 1; ++i) {
        const index at = i * b.row_size + first, l = b.level[i];
        noise_key key = b.key;
        key.draw = b.draws[i];
        const double kept = ops::kept_share(static_cast<double>(b.alpha[l]), static_cast<double>(b.sigma[l]));
        const index seen = ops::diffused_class(ops::held_class(b.x + at, size), size, kept, key, element);
        std::copy_n(b.x + at, size, b.target + at);
        std::fill_n(b.damaged + at, size, real{0});
        b.damaged[at + seen] = 1;
      }
      first += size;
    }
  }
};

}  // namespace anodiff::corruptions
