// expect-error: gives_threshold
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/calibrator.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  struct fitted {
    [[nodiscard]] double p_value(double) const { return 1; }
    [[nodiscard]] double promised() const { return 0.05; }
    [[nodiscard]] std::span<const double> scores() const { return {}; }
#ifdef ANODIFF_GOOD
    [[nodiscard]] double threshold() const { return 1; }
#endif
  };
  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] fitted fit(std::span<const double>) const { return {}; }
};

template <anodiff::calibrator P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
