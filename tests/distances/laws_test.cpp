// SPDX-License-Identifier: Apache-2.0
#include "laws/distance_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("distances keep the laws of their concept", "[distances][laws]", laws::all_distances) {
  laws::check_policy<TestType>();
  for (const laws::index d : {1, 3, 32, 257}) {
    INFO(d << " columns");
    laws::check_distance<TestType, cpu_engine>(TestType{}, 40, {d, 1, 1});
  }
  laws::check_distance<TestType, cpu_engine>(TestType{}, 10, {9, 21, 2});
}

TEST_CASE("four elements by hand", "[distances]") {
  const cpu_engine engine{1};
  const std::vector<laws::index> sample{2};
  tensor<float, 2> x{{2, 2}}, y{{2, 2}}, out{{2, 2}};
  const float given[] = {1, -2, 0, 0.5F}, rebuilt[] = {3, -1.5F, 0, -0.5F};
  std::copy(std::begin(given), std::end(given), x.data());
  std::copy(std::begin(rebuilt), std::end(rebuilt), y.data());
  distances::l1{}.measure(engine, x, y, out, sample);
  CHECK(std::vector<float>(out.flat().begin(), out.flat().end()) == std::vector<float>{2, 0.5F, 0, 1});
  distances::l2{}.measure(engine, x, y, out, sample);
  CHECK(std::vector<float>(out.flat().begin(), out.flat().end()) == std::vector<float>{4, 0.25F, 0, 1});
}

TEST_CASE("what is not a number stays so", "[distances]") {
  const cpu_engine engine{1};
  const std::vector<laws::index> sample{1};
  tensor<float, 2> x{{1, 1}}, y{{1, 1}}, out{{1, 1}};
  y(0, 0) = std::nanf("");
  distances::l1{}.measure(engine, x, y, out, sample);
  CHECK(std::isnan(out(0, 0)));
  distances::l2{}.measure(engine, x, y, out, sample);
  CHECK(std::isnan(out(0, 0)));
}

TEST_CASE("a distance of surroundings sees moved edges and refuses rows", "[distances]") {
  const cpu_engine engine{1};
  const std::vector<laws::index> sample{16, 16, 1};
  tensor<float, 2> x{{1, 256}}, y{{1, 256}}, out{{1, 256}};
  for (laws::index i = 0; i < 256; ++i) x.data()[i] = y.data()[i] = i % 16 < 8 ? -0.5F : 0.5F;
  y(0, 5 * 16 + 3) = 0.5F;
  distances::ssim{}.measure(engine, x, y, out, sample);
  CHECK(out(0, 5 * 16 + 3) > 0.3F);
  CHECK(out(0, 15 * 16 + 15) == 0);
  distances::gradient{}.measure(engine, x, y, out, sample);
  CHECK(out(0, 5 * 16 + 2) > 0.3F);
  CHECK(out(0, 15 * 16 + 15) == 0);
  for (laws::index i = 0; i < 256; ++i) y.data()[i] = x.data()[i] + 0.2F;  // brighter
  distances::gradient{}.measure(engine, x, y, out, sample);
  CHECK(*std::max_element(out.data(), out.data() + 256) < 1e-6F);
  CHECK_THROWS_WITH(distances::ssim{}.measure(engine, x, y, out, std::vector<laws::index>{256}),
                    "distances::ssim: needs pictures (height, width, channels), got samples of 1 dimensions");
}

TEST_CASE("every distance stands in the list", "[distances][laws]") {
  laws::check_all_listed<laws::all_distances>("distances");
}
