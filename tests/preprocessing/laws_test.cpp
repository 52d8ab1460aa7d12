// SPDX-License-Identifier: Apache-2.0
#include "laws/preprocessor_laws.hpp"

namespace laws_test {

using namespace anodiff;
using laws::index;

TEMPLATE_LIST_TEST_CASE("preprocessors keep the laws of their concept", "[preprocessing][laws]",
                        laws::all_preprocessors) {
  laws::check_policy<TestType>();
  for (const index rows : {1, 2, 50}) {
    tensor<double, 2> x{{rows, 6}};
    for (index i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      x(i, 0) = laws::uniform(1, at, -3, 3);
      x(i, 1) = laws::uniform(2, at, 1e9, 1e9 + 1);
      x(i, 2) = laws::uniform(3, at, -1e-9, 1e-9);
      x(i, 3) = 0.1;
      x(i, 4) = 0;
      x(i, 5) = laws::uniform(4, at, -1e12, 1e12);
    }
    INFO(rows << " rows");
    laws::check_preprocessor(TestType{}, x.view());
  }
}

TEST_CASE("identity changes nothing", "[preprocessing]") {
  const tensor<double, 2> x{{1, 3}};
  const auto fitted = preprocessing::identity{}.fit(x.view());
  const std::vector<double> row{-1.5, 0, 1e9};
  std::vector<float> z(3);
  fitted.apply(row, z);
  CHECK(z == std::vector<float>{-1.5F, 0, 1e9F});
}

TEST_CASE("every preprocessor stands in the list", "[preprocessing][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_preprocessors{}, laws::all_picture_preprocessors{}))>(
      "preprocessing");
}

}  // namespace laws_test
