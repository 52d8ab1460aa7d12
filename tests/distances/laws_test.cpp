// SPDX-License-Identifier: Apache-2.0
#include "laws/distance_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("distances keep the laws of their concept", "[distances][laws]", laws::all_distances) {
  laws::check_policy<TestType>();
  for (const laws::index d : {1, 3, 32, 257}) {
    INFO(d << " columns");
    laws::check_distance<TestType, cpu_engine>(TestType{}, 400, d);
  }
}

TEST_CASE("four elements by hand", "[distances]") {
  const cpu_engine engine{1};
  tensor<float, 2> x{{2, 2}}, y{{2, 2}}, out{{2, 2}};
  const float given[] = {1, -2, 0, 0.5F}, rebuilt[] = {3, -1.5F, 0, -0.5F};
  std::copy(std::begin(given), std::end(given), x.data());
  std::copy(std::begin(rebuilt), std::end(rebuilt), y.data());
  distances::l1{}.measure(engine, x, y, out);
  CHECK(std::vector<float>(out.flat().begin(), out.flat().end()) == std::vector<float>{2, 0.5F, 0, 1});
  distances::l2{}.measure(engine, x, y, out);
  CHECK(std::vector<float>(out.flat().begin(), out.flat().end()) == std::vector<float>{4, 0.25F, 0, 1});
}

TEST_CASE("what is not a number stays so", "[distances]") {
  const cpu_engine engine{1};
  tensor<float, 2> x{{1, 1}}, y{{1, 1}}, out{{1, 1}};
  y(0, 0) = std::nanf("");
  distances::l1{}.measure(engine, x, y, out);
  CHECK(std::isnan(out(0, 0)));
  distances::l2{}.measure(engine, x, y, out);
  CHECK(std::isnan(out(0, 0)));
}

TEST_CASE("every distance stands in the list", "[distances][laws]") {
  laws::check_all_listed<laws::all_distances>("distances");
}
