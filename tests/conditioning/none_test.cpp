// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/none.hpp>
#include "laws/policy_laws.hpp"

namespace none_test {

using namespace anodiff;

TEST_CASE("none: leaves levels and state as they are", "[conditioning]") {
  laws::check_policy<conditioning::none>();
  tensor<float, 2> x{{3, 2}};
  for (float& v : x.flat()) v = 1.5F;
  const auto before = x;
  auto bound = conditioning::none{}.bind({x});
  const std::vector<noise_level> levels{{0.6, 0.8, 3}, {0.8, 0.6, 1}, clean_level};
  CHECK(bound.levels(levels) == levels);
  CHECK(bound.levels({}).empty());
  bound.after_step(x, levels[1]);
  CHECK(x == before);
}

}  // namespace none_test
