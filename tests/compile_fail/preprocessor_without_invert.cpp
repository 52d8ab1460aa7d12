// expect-error: maps_back
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/preprocessor.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  struct fitted {
    void apply(std::span<const double> in, std::span<float> out) const { out[0] = static_cast<float>(in[0]); }
#ifdef ANODIFF_GOOD
    [[nodiscard]] double invert(anodiff::index, float z) const { return static_cast<double>(z); }
#endif
  };
  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] fitted fit(anodiff::tensor_view<const double, 2>) const { return {}; }
};

template <anodiff::preprocessor P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
