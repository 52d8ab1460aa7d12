// expect-error: writes_a_program
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/sampler.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";
  [[nodiscard]] bool deterministic() const { return true; }

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] std::vector<anodiff::stage> program(std::span<const anodiff::noise_level> levels) const {
    return std::vector<anodiff::stage>(levels.size() - 1);
  }
#endif
};

template <anodiff::sampler P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
