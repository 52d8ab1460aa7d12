// expect-error: pools_evidence
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/pooler.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  [[nodiscard]] double pool(std::span<const float> evidence) const { return static_cast<double>(evidence[0]); }
#endif
};

template <anodiff::pooler P>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
