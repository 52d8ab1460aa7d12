// expect-error: policy
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/pooler.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
#ifdef ANODIFF_GOOD
  static constexpr std::string_view name = "home_made";
#endif
  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] double pool(std::span<const float> evidence) const { return static_cast<double>(evidence[0]); }
};

template <anodiff::pooler P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
