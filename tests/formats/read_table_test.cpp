// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/read_table.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "support/real_data.hpp"

namespace read_table_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using names = std::vector<std::string>;

tensor<double, 2> rows(std::initializer_list<double> values) {
  tensor<double, 2> out{{static_cast<anodiff::index>(values.size() / 2), 2}};
  std::ranges::copy(values, out.data());
  return out;
}

TEST_CASE("the extension decides how a table is read") {
  const scratch_folder folder;
  write_file_atomically(folder / "t.CSV", bytes_of("a,b\n1,2\n"));
  REQUIRE(read_table(folder / "t.CSV").columns == names{"a", "b"});
  write_npy(folder / "t.npy", rows({1, 2, 3, 4}));
  const auto read = read_table(folder / "t.npy");
  REQUIRE(read.columns == names{"0", "1"});
  REQUIRE(read.values == rows({1, 2, 3, 4}));
  REQUIRE(read.name == folder / "t.npy");
  REQUIRE(!read.has_labels);
  for (const auto* other : {"t.txt", "t", "a.npy/t", "npy", "t.", ""})
    REQUIRE(message_of<invalid_argument>([&] { (void)read_table(other); }) ==
            concat("read_table: need a .csv, .npz or .npy file, got ", other));
  REQUIRE(message_of<io_error>([&] { (void)read_table(folder / "none.csv"); }) ==
          "cannot open " + folder / "none.csv" + ": No such file or directory");
}

TEST_CASE("an array of one dimension is one column, of more than two none") {
  const scratch_folder folder;
  const std::vector<float> column{1, 2, 3};
  write_npy(folder / "t.npy", std::span{column});
  REQUIRE(read_table(folder / "t.npy").values.extents() == shape<2>{3, 1});
  write_npy(folder / "t.npy", tensor<float, 3>{{2, 3, 4}});
  REQUIRE(message_of([&] { (void)read_table(folder / "t.npy"); }) ==
          folder / "t.npy" + ": need rows (n, d) or one column (n), got shape (2, 3, 4)");
  write_npy(folder / "t.npy", tensor<float, 2>{{2, 0}});
  REQUIRE(message_of([&] { (void)read_table(folder / "t.npy"); }) ==
          folder / "t.npy" + ": need at least one column, got shape (2, 0)");
  write_npy(folder / "t.npy", tensor<float, 2>{{1, 5}});
  REQUIRE(message_of([&] { (void)read_table(folder / "t.npy", {.max_columns = 4}); }) ==
          folder / "t.npy" + ": at most 4 columns can be read, got 5");
}

TEST_CASE("values of an array must be finite, or NaN where missing values are allowed") {
  const scratch_folder folder;
  const auto nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto path = folder / "t.npy";
  write_npy(path, rows({1, 2, 3, nan}));
  REQUIRE(message_of([&] { (void)read_table(path); }) ==
          path + ": row 2, column \"1\": need a finite number, got NaN; missing values are not allowed here");
  REQUIRE(std::isnan(read_table(path, {.allow_missing = true}).values(1, 1)));
  write_npy(path, rows({-infinity, 2}));
  REQUIRE(message_of([&] { (void)read_table(path, {.allow_missing = true}); }) ==
          path + ": row 1, column \"0\": need a finite number, got -inf");
}

TEST_CASE("columns that an array does not have cannot be asked for") {
  const scratch_folder folder;
  const auto path = folder / "t.npy";
  write_npy(path, rows({1, 2}));
  REQUIRE(message_of<invalid_argument>([&] { (void)read_table(path, {.id_column = "n"}); }) ==
          "read_table: an array has no column \"n\" for ids: " + path);
  REQUIRE(message_of<invalid_argument>([&] { (void)read_table(path, {.label_column = "y"}); }) ==
          "read_table: a .npy file has no labels \"y\": " + path);
}

#ifdef ANODIFF_HAS_ZLIB
TEST_CASE("an npz gives rows and labels") {
  const auto read = read_table(data_file("numpy_compressed.npz"));
  REQUIRE(read.values == rows({1.5, -2, 0, 4, 1e-300, 6e300}));
  REQUIRE(read.has_labels);
  REQUIRE(read.labels == std::vector<int>{0, 1, 0});
  REQUIRE(read.columns == names{"0", "1"});
}

TEST_CASE("labels of an npz are 0 or 1, one for each row") {
  const scratch_folder folder;
  const auto path = folder / "t.npz";
  const auto x = rows({1, 2, 3, 4});
  const auto with = [&](const named_tensor& y) {
    write_npz(path, {named("X", x), y});
    return read_table(path);
  };
  const std::vector<double> floats{0, 1}, halves{0, 0.5}, few{0};
  const tensor<std::uint8_t, 2> column{{2, 1}}, row{{1, 2}};
  REQUIRE(with(named("y", std::span{floats})).labels == std::vector<int>{0, 1});
  REQUIRE(with(named("y", column)).labels == std::vector<int>{0, 0});
  REQUIRE(!with(named("truth", column)).has_labels);
  REQUIRE(read_table(path, {.label_column = "truth"}).has_labels);
  REQUIRE(message_of([&] { (void)read_table(path, {.label_column = "y"}); }) ==
          path + ": needs an array \"y\", got \"X\", \"truth\"");
  REQUIRE(message_of([&] { (void)with(named("y", std::span{halves})); }) ==
          path + ": y.npy: row 2: need a label 0 or 1, got 0.5");
  REQUIRE(message_of([&] { (void)with(named("y", std::span{few})); }) ==
          path + ": y.npy: need labels of shape (2,), got (1,)");
  REQUIRE(message_of([&] { (void)with(named("y", row)); }) == path + ": y.npy: need labels of shape (2,), got (1, 2)");
  write_npz(path, {named("A", x)});
  REQUIRE(message_of([&] { (void)read_table(path); }) == path + ": needs an array \"X\", got \"A\"");
}

TEST_CASE("real tables have their published size and share of anomalies") {
  const auto folder = test::real_data("adbench");
  if (folder.empty()) return;
  struct fact {
    const char* file;
    anodiff::index n, d;
    double percent;
  };
  for (const auto& [file, n, d, percent] :
       {fact{"10_cover", 286048, 10, 1.0}, fact{"32_shuttle", 49097, 9, 7.2}, fact{"2_annthyroid", 7200, 6, 7.4},
        fact{"6_cardio", 1831, 21, 9.6}, fact{"18_Ionosphere", 351, 32, 35.9}, fact{"20_letter", 1600, 32, 6.3},
        fact{"15_Hepatitis", 80, 19, 16.3}}) {
    const auto path = concat(folder, "/classical/", file, ".npz");
    if (!std::filesystem::exists(path)) continue;
    const auto read = read_table(path);
    INFO(file);
    REQUIRE(read.values.extents() == shape<2>{n, d});
    REQUIRE(read.has_labels);
    const auto anomalies = std::count(read.labels.begin(), read.labels.end(), 1);
    REQUIRE(100.0 * static_cast<double>(anomalies) / static_cast<double>(n) == Approx(percent).margin(0.06));
  }
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".npz") continue;
    INFO(entry.path().string());
    REQUIRE(read_table(entry.path().string()).has_labels);
    ++count;
  }
  REQUIRE(count > 0);
}
#else
TEST_CASE("without zlib an npz is refused with the reason") {
  REQUIRE(message_of<invalid_argument>([] { (void)read_table("t.npz"); }) ==
          "read_table: .npz needs zlib, which this program was built without: t.npz");
}
#endif

}  // namespace

}  // namespace read_table_test
