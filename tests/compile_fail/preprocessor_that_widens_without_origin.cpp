// expect-error: names_their_columns
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/preprocessor.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  struct fitted {
    void apply(std::span<const double> in, std::span<float> out) const { out[0] = out[1] = static_cast<float>(in[0]); }
    [[nodiscard]] double invert(anodiff::index, float z) const { return static_cast<double>(z); }
    [[nodiscard]] anodiff::index outputs() const { return 2; }
#ifdef ANODIFF_GOOD
    [[nodiscard]] anodiff::index origin(anodiff::index) const { return 0; }
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
