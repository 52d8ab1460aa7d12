// SPDX-License-Identifier: Apache-2.0
#include "laws/pooler_laws.hpp"

using namespace anodiff;
using anodiff::index;  // at global scope it would also be the C library's function

TEMPLATE_LIST_TEST_CASE("poolers keep the laws of their concept", "[pooling][laws]", laws::all_poolers) {
  laws::check_policy<TestType>();
  laws::check_pooler(TestType{});
}

TEST_CASE("four elements by hand", "[pooling]") {
  const std::vector<float> evidence{1, 0, 6.5F, 0.5F};
  CHECK(pooling::mean{}.pool(evidence) == 2);
  CHECK(pooling::max{}.pool(evidence) == 6.5);
  CHECK(pooling::top_k{{.count = 2}}.pool(evidence) == 3.75);
  CHECK(pooling::top_k{{.count = 20}}.pool(evidence) == 2);
  CHECK(pooling::block_mean{}.pool(evidence) == 6.5);
}

TEST_CASE("blocks of a map by hand", "[pooling]") {
  const std::vector<float> map{9, 1, 1, 1, 1,   //
                               1, 1, 2, 1, 1,   //
                               1, 1, 4, 7, 1};  // three rows of five
  CHECK(pooling::block_mean{{.side = 2}}.pool_map(map, {3, 5, 1}) == 3.5);
  CHECK(pooling::block_mean{{.side = 1}}.pool_map(map, {3, 5, 1}) == 9);
        CHECK(pooling::block_mean{{.side = 9}}.pool_map(map, {3, 5, 1}) == Approx(33.0 / 15));
        CHECK(pooling::block_mean{{.side = 1}}.pool_map({map.data(), 4}, {1, 2, 2}) == 5);  // channels are averaged
        const std::vector<index> picture{3, 5, 1}, row{15};
        CHECK(pool_sample(pooling::block_mean{{.side = 2}}, map, picture) == 3.5);
        CHECK(pool_sample(pooling::block_mean{{.side = 2}}, map, row) == 9);
        CHECK(pool_sample(pooling::max{}, map, picture) == 9);
}

TEST_CASE("poolers refuse sizes out of range", "[pooling]") {
  CHECK_THROWS_WITH(pooling::top_k({.count = 0}), "pooling::top_k: count must lie in [1, 2^24], got 0");
  CHECK_THROWS_WITH(pooling::block_mean({.side = 0}), "pooling::block_mean: side must lie in [1, 4096], got 0");
}

TEST_CASE("the mean is summed in double", "[pooling]") {
  std::vector<float> evidence(100'000, 1e-3F);
  evidence[0] = 1e5F;  // beside which a float would not see the others
  CHECK(pooling::mean{}.pool(evidence) == Approx((1e5 + 99'999 * static_cast<double>(1e-3F)) / 100'000).epsilon(1e-12));
}

TEST_CASE("every pooler stands in the list", "[pooling][laws]") {
  laws::check_all_listed<laws::all_poolers>("pooling");
}
