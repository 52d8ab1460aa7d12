// expect-error: reduces_views
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/aggregator.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";
  static constexpr bool needs_statistics = false;

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const anodiff::view_statistics>) const {
    return values[0];
  }
#endif
};

template <anodiff::aggregator P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
