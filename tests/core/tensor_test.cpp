// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/tensor.hpp>
#include <catch2/catch.hpp>
#include <numeric>

namespace tensor_test {

using namespace anodiff;
using anodiff::index;  // not the C library's function

TEST_CASE("volume multiplies extents and refuses what cannot be counted", "[tensor]") {
  CHECK(volume<3>({2, 3, 4}) == 24);
  CHECK(volume<2>({0, 7}) == 0);
  CHECK(volume<2>({index{1} << 40, 0}) == 0);
  CHECK_THROWS_AS(volume<2>({2, -1}), invalid_argument);
  CHECK_THROWS_WITH((volume<2>({2, -1})), "shape: an extent must not be negative, got -1");
  CHECK_THROWS_WITH((volume<2>({index{1} << 40, index{1} << 40})), "shape: more elements than 2^63");
  CHECK(to_string(shape<3>{2, 3, 4}) == "(2, 3, 4)");
  CHECK(to_string(shape<1>{5}) == "(5)");
}

TEST_CASE("a tensor is born zero, aligned and row-major", "[tensor]") {
  tensor<float, 3> t{{2, 3, 4}};
  CHECK(t.size() == 24);
  CHECK(t.rows() == 2);
  CHECK(t.row_size() == 12);
  CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % tensor_alignment == 0);
  CHECK(std::all_of(t.flat().begin(), t.flat().end(), [](float x) { return x == 0; }));
  std::iota(t.flat().begin(), t.flat().end(), 0.0F);
  CHECK(t.row(1)[0] == 12);
  CHECK(t.view().matrix()(1, 5) == 17);
}

TEST_CASE("views share elements, slices keep whole rows", "[tensor]") {
  tensor<double, 2> t{{4, 2}};
  const tensor_view<double, 2> v = t;
  v(3, 1) = 5;
  CHECK(t(3, 1) == 5);
  const tensor_view<const double, 2> constant = v;
  const auto last = constant.slice(2, 4);
  CHECK(last.rows() == 2);
  CHECK(last(1, 1) == 5);
  CHECK(last.row(1)[1] == 5);
  CHECK(constant.slice(1, 1).size() == 0);
}

TEST_CASE("a tensor copies a view of another element type and compares by value", "[tensor]") {
  tensor<double, 2> t{{2, 2}};
  t(0, 1) = 1.5;
  const tensor<float, 2> f{t.view()};
  CHECK(f(0, 1) == 1.5F);
  CHECK(tensor<double, 2>{f.view()} == t);
  CHECK_FALSE(tensor<double, 2>({4, 1}) == t);
}

TEST_CASE("an empty tensor has no rows", "[tensor]") {
  const tensor<float, 2> t;
  CHECK(t.size() == 0);
  CHECK(t.rows() == 0);
  CHECK(tensor<float, 2>({0, 5}).row_size() == 5);
}

}  // namespace tensor_test
