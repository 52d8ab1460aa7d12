// expect-error: lists_levels
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/schedule.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] std::vector<anodiff::noise_level> levels() const { return {{0.8, 0.6, 0}}; }
#endif
};

template <anodiff::schedule P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
