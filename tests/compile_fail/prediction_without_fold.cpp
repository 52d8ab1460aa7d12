// expect-error: folds_to_clean
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/prediction.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";
  static constexpr bool needs_signal = false;
  [[nodiscard]] anodiff::mixture target(anodiff::noise_level) const { return {1, 0}; }

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] anodiff::mixture fold(anodiff::noise_level) const { return {0, 1}; }
#endif
};

template <anodiff::prediction P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
