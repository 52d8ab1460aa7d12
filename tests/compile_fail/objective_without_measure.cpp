// expect-error: measures_a_batch
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/concepts/objective.hpp>
#include <anodiff/engines/cpu.hpp>

namespace {

class home_made {
 public:
  using params = anodiff::no_params;
  static constexpr std::string_view name = "home_made";
  [[nodiscard]] double weigh(anodiff::noise_level, double) const { return 1; }

  explicit home_made(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
#ifdef ANODIFF_GOOD
  void measure(anodiff::cpu_engine&, const anodiff::objective_batch<float>&) const {}
#endif
};

template <class P>
requires anodiff::objective_on<P, anodiff::cpu_engine>
void use(const P&) {}

}  // namespace

int main() { use(home_made{}); }
