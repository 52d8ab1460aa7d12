// expect-error: use velocity or clean, not epsilon
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace ad = anodiff;

namespace {

/// Ends at alpha = 0, where the noise says nothing of the clean sample.
class to_pure_noise {
 public:
  using params = ad::no_params;
  static constexpr std::string_view name = "to_pure_noise";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = true;

  explicit to_pure_noise(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] std::vector<ad::noise_level> levels() const { return {{0.8, 0.6, 0}, {0, 1, 1}}; }
};

}  // namespace

#ifdef ANODIFF_GOOD
using prediction = ad::predictions::velocity;
#else
using prediction = ad::predictions::epsilon;
#endif
using made = ad::detector<to_pure_noise, prediction, ad::models::mlp<ad::cpu_engine>,
                          ad::scorers::reconstruction<ad::distances::l1>>;

int main() { return sizeof(made) == 0; }
