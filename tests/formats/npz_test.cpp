// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_ZLIB
#include "fixtures.hpp"

#include <anodiff/formats/npz.hpp>
#include <cmath>
#include <numeric>

namespace npz_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using names = std::vector<std::string>;

TEST_CASE("what NumPy wrote is read, stored and compressed") {
  for (const auto* file : {"numpy.npz", "numpy_compressed.npz"}) {
    const auto npz = read_npz(data_file(file));
    REQUIRE(npz.names() == names{"X", "y", "half", "flags", "cube", "scalar", "none"});
    const auto x = npz.read("X");
    REQUIRE(x.fortran_order());
    REQUIRE(std::ranges::equal(x.to_tensor<double, 2>().flat(), std::vector{1.5, -2.0, 0.0, 4.0, 1e-300, 6e300}));
    REQUIRE(std::ranges::equal(npz.read("y").to_tensor<std::int64_t, 1>().flat(), std::vector{0, 1, 0}));
    const auto half = npz.read("half").to_tensor<float, 1>();
    REQUIRE(half.flat()[2] == 1);
    REQUIRE(half.flat()[3] == 65504);
    REQUIRE(std::isinf(half.flat()[5]));
    REQUIRE(std::ranges::equal(npz.read("flags").to_tensor<std::uint8_t, 1>().flat(), std::vector{1, 0}));
    std::vector<float> expected(24);
    std::iota(expected.begin(), expected.end(), 0.f);
    REQUIRE(std::ranges::equal(npz.read("cube").to_tensor<float, 3>().flat(), expected));
    REQUIRE(npz.read("scalar").shape().empty());
    REQUIRE(npz.read("none").to_tensor<float, 2>().extents() == shape<2>{0, 3});
  }
}

TEST_CASE("what is written reads back the same, stored and compressed") {
  const scratch_folder folder;
  tensor<double, 2> x{{1000, 3}};
  for (anodiff::index i = 0; i < x.size(); ++i)
    x.flat()[static_cast<std::size_t>(i)] = std::sin(static_cast<double>(i));
  const std::vector<std::uint8_t> y(1000, 1);
  for (const bool compressed : {false, true}) {
    write_npz(folder / "f.npz", {named("X", x), named("y", std::span{y})}, compressed);
    const auto npz = read_npz(folder / "f.npz");
    REQUIRE(npz.names() == names{"X", "y"});
    REQUIRE(npz.contains("X"));
    REQUIRE(!npz.contains("X.npy"));
    REQUIRE(npz.read("X").to_tensor<double, 2>() == x);
    REQUIRE(std::ranges::equal(npz.read("y").to_tensor<std::uint8_t, 1>().flat(), y));
  }
}

TEST_CASE("what is not there, or damaged, is named") {
  buffer out;
  zip_writer zip{out};
  const byte_span pieces[] = {bytes_of("nonsense")};
  zip.add("X.npy", pieces, false);
  zip.add("readme.txt", pieces, false);
  zip.finish();
  const npz_file npz{zip_archive{std::move(out), "f.npz"}};
  REQUIRE(npz.names() == names{"X"});
  REQUIRE(message_of([&] { (void)npz.read("y"); }) == "f.npz: needs an array \"y\", got \"X\"");
  REQUIRE(message_of([&] { (void)npz.read("X"); }) ==
          "f.npz: X.npy: not a npy file, its first bytes are not those of one");
  REQUIRE(message_of<invalid_argument>([] {
            buffer sink;
            write_npz(sink, {{"X", dtype::f64, {2}, bytes_of("x")}});
          }) == "write_npz: array \"X\" of float64 (2,) does not fit its 1 bytes");
}

TEST_CASE("a zip bomb is stopped by the limit before it is unpacked") {
  const scratch_folder folder;
  const tensor<std::uint8_t, 1> zeros{{10'000'000}};
  write_npz(folder / "f.npz", {named("X", zeros)}, true);
  REQUIRE(message_of([&] {
            (void)read_npz(folder / "f.npz", {.unpacked = 1'000'000});
          }).starts_with(folder / "f.npz" + ": at most 1000000 bytes can be unpacked, the archive states more"));
}

}  // namespace

}  // namespace npz_test
#endif
