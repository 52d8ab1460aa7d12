// expect-error: measures_elements
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/distance.hpp>
#include <anodiff/engines/cpu.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  void measure(anodiff::cpu_engine&, anodiff::tensor_view<const float, 2>, anodiff::tensor_view<const float, 2>,
               anodiff::tensor_view<float, 2>, std::span<const anodiff::index>) const {}
#endif
};

template <class P>
requires anodiff::distance_on<P, anodiff::cpu_engine>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
