// expect-error: acts_after_a_step
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/conditioner.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  struct bound {
    [[nodiscard]] std::vector<anodiff::noise_level> levels(std::vector<anodiff::noise_level> list) { return list; }
#ifdef ANODIFF_GOOD
    void after_step(anodiff::tensor_view<float, 2>, anodiff::noise_level) {}
#endif
  };
  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] bound bind(const anodiff::run_inputs&) const { return {}; }
};

template <anodiff::conditioner P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
