// expect-error: picks_levels
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/grid.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] std::vector<anodiff::noise_level> pick(std::span<const anodiff::noise_level> schedule,
                                                       anodiff::index) const {
    return {schedule.back()};
  }
#endif
};

template <anodiff::grid P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
