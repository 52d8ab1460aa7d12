// SPDX-License-Identifier: Apache-2.0
#include "laws/pooler_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("poolers keep the laws of their concept", "[pooling][laws]", laws::all_poolers) {
  laws::check_policy<TestType>();
  laws::check_pooler(TestType{});
}

TEST_CASE("four elements by hand", "[pooling]") {
  const std::vector<float> evidence{1, 0, 6.5F, 0.5F};
  CHECK(pooling::mean{}.pool(evidence) == 2);
  CHECK(pooling::max{}.pool(evidence) == 6.5);
}

TEST_CASE("the mean is summed in double", "[pooling]") {
  std::vector<float> evidence(100'000, 1e-3F);
  evidence[0] = 1e5F;  // beside which a float would not see the others
  CHECK(pooling::mean{}.pool(evidence) == Approx((1e5 + 99'999 * static_cast<double>(1e-3F)) / 100'000).epsilon(1e-12));
}

TEST_CASE("every pooler stands in the list", "[pooling][laws]") {
  laws::check_all_listed<laws::all_poolers>("pooling");
}
