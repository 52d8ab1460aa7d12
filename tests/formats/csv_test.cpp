// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/csv.hpp>
#include <cmath>

namespace csv_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using names = std::vector<std::string>;
using numbers = std::vector<double>;

table parse(std::string_view text, const csv_options& options = {}) {
  return parse_csv(bytes_of(text), "d.csv", options);
}
std::string refusal(std::string_view text, const csv_options& options = {}) {
  return message_of([&] { (void)parse(text, options); });
}
numbers values(std::string_view text, const csv_options& options = {}) {
  const auto read = parse(text, options);
  return {read.values.flat().begin(), read.values.flat().end()};
}

TEST_CASE("a plain table is read") {
  const auto read = parse("a,b\n1,2.5\n-3e2,.5\n");
  REQUIRE(read.name == "d.csv");
  REQUIRE(read.columns == names{"a", "b"});
  REQUIRE(read.values.extents() == shape<2>{2, 2});
  REQUIRE(read.values(1, 0) == -300);
  REQUIRE(!read.has_ids);
  REQUIRE(!read.has_labels);
  REQUIRE(read.rows() == 2);
}

TEST_CASE("separators, line ends, marks and blanks of all sorts are taken") {
  const numbers expected{1, 2, 3, 4};
  REQUIRE(values("a,b\n1,2\n3,4") == expected);
  REQUIRE(values("a,b\r\n1,2\r\n3,4\r\n") == expected);
  REQUIRE(values("a,b\n1,2\n3,4\r") == expected);
  REQUIRE(values("a;b\n1;2\n3;4\n\n\r\n\n") == expected);
  REQUIRE(values("\xef\xbb\xbf\"a\";\"b,c\"\r\n1;2\r\n3;4") == expected);
  REQUIRE(values("a, b\n 1,\t2 \n+3,\" 4\"\n") == expected);
  REQUIRE(values("\"a,;\"\"\n\",b\n1,2\n3,4\n") == expected);
  REQUIRE(parse("a, b \n1,2").columns == names{"a", "b"});
  REQUIRE(parse("a,b\n").values.extents() == shape<2>{0, 2});
  REQUIRE(parse("2020,2021\n1,2\n").columns == names{"2020", "2021"});
}

TEST_CASE("ids and labels are no features, wherever they stand") {
  const auto read =
      parse("x,label,name,y\n1,0,\"b \"\"q\"\",\n2\",2\n3,1.0,,4\n", {.id_column = "name", .label_column = "label"});
  REQUIRE(read.columns == names{"x", "y"});
  REQUIRE(read.ids == names{"b \"q\",\n2", ""});
  REQUIRE(read.labels == std::vector<int>{0, 1});
  REQUIRE(read.has_ids);
  REQUIRE(read.has_labels);
  REQUIRE(std::ranges::equal(read.values.flat(), numbers{1, 2, 3, 4}));
}

TEST_CASE("numbers are read exactly") {
  REQUIRE(values("a\n0.1\n1e-400\n5e-324\n1.7976931348623157e308\n123456789012345678901234567890\n") ==
          numbers{0.1, 0, 5e-324, 1.7976931348623157e308, 1.2345678901234568e29});
}

TEST_CASE("missing values are refused, or NaN where they are allowed") {
  const auto read = values("a,b\n,2\nNaN,\" \"\n\"\",nan\n", {.allow_missing = true});
  REQUIRE(std::isnan(read[0]));
  REQUIRE(read[1] == 2);
  REQUIRE(std::count_if(read.begin(), read.end(), [](double v) { return std::isnan(v); }) == 5);
  REQUIRE(refusal("a,b\n1,2\n1,\n") ==
          "d.csv: row 2 (line 3), column \"b\": need a number, got an empty cell; missing values are not allowed here");
  REQUIRE(refusal("a,b\nNaN,2\n") ==
          "d.csv: row 1 (line 2), column \"a\": need a number, got \"NaN\"; missing values are not allowed here");
}

TEST_CASE("a cell that is no finite number is named with its row, line and column") {
  REQUIRE(refusal("a,b\n1,2\n3,x\n") == "d.csv: row 2 (line 3), column \"b\": need a number, got \"x\"");
  REQUIRE(refusal("a,b\n1,2x\n") == "d.csv: row 1 (line 2), column \"b\": need a number, got \"2x\"");
  REQUIRE(refusal("a;b\n1;2,5\n") ==
          "d.csv: row 1 (line 2), column \"b\": need a number, got \"2,5\"; decimals need a point, not a comma");
  REQUIRE(refusal("n,a\n\"two\nlines\",1\n\"x\ny\",q\n", {.id_column = "n"}) ==
          "d.csv: row 2 (line 5), column \"a\": need a number, got \"q\"");
  const csv_options lenient{.allow_missing = true};
  for (const auto* cell : {"inf", "-inf", "Infinity", "1e999", "-1e999"})
    REQUIRE(refusal(concat("a\n", cell, "\n"), lenient) ==
            concat("d.csv: row 1 (line 2), column \"a\": need a finite number, got \"", cell, "\""));
  for (const auto* cell :
       {"0x10", "1_000", "--1", "+-1", "1e", "e5", ".", "-", "+", "NA", "nan(1)", "1 2", "true", "1\r2"})
    REQUIRE(refusal(concat("a\n", cell, "\n"), lenient).starts_with("d.csv: row 1 (line 2), column \"a\": need a "));
}

TEST_CASE("labels are 0 or 1") {
  const csv_options labelled{.label_column = "y"};
  REQUIRE(refusal("a,y\n1,2\n", labelled) == "d.csv: row 1 (line 2), column \"y\": need a label 0 or 1, got \"2\"");
  REQUIRE(refusal("a,y\n1,\n", labelled) == "d.csv: row 1 (line 2), column \"y\": need a label 0 or 1, got \"\"");
  REQUIRE(refusal("a,y\n1,yes\n", labelled) == "d.csv: row 1 (line 2), column \"y\": need a label 0 or 1, got \"yes\"");
}

TEST_CASE("rows of another length are refused") {
  REQUIRE(refusal("a,b\n1,2\n3\n") == "d.csv: row 2 (line 3): need 2 cells as in the header, got 1");
  REQUIRE(refusal("a,b\n1,2,3,4\n") == "d.csv: row 1 (line 2): need 2 cells as in the header, got 4");
  REQUIRE(refusal("a,b\n1,2,\n") == "d.csv: row 1 (line 2): need 2 cells as in the header, got 3");
  REQUIRE(refusal("a,b\n\n1,2\n") == "d.csv: row 1 (line 2): the line is blank");
  REQUIRE(refusal("a,b\n1,2\n3") == "d.csv: row 2 (line 3): need 2 cells as in the header, got 1");
}

TEST_CASE("quotes that do not fit are refused") {
  REQUIRE(refusal("a,b\n1,\"2\n") == "d.csv: row 1 (line 2), column \"b\": a quote has no end");
  REQUIRE(refusal("a,b\n1,\"2\"3\n") == "d.csv: row 1 (line 2), column \"b\": text after the end of a quoted cell");
  REQUIRE(refusal("n,b\n5\" disk,2\n", {.id_column = "n"}) ==
          "d.csv: row 1 (line 2), column \"n\": a quote inside a cell that does not begin with one");
  REQUIRE(refusal("\"a") == "d.csv: header: a quote has no end");
}

TEST_CASE("headers that cannot name columns are refused") {
  REQUIRE(refusal("") == "d.csv: need a header line, got an empty file");
  REQUIRE(refusal("\n\n") == "d.csv: need a header line, got an empty file");
  REQUIRE(refusal("a,,b\n1,2,3\n") == "d.csv: header: column 2 has no name");
  REQUIRE(refusal("a,b,a\n1,2,3\n") == "d.csv: header: two columns are named \"a\"");
  REQUIRE(refusal("a,\xff\n1,2\n") == "d.csv: header: column 2 has a name that is not UTF-8");
  REQUIRE(refusal("0.5,1\n1,2\n") == "d.csv: header: need names of columns in the first line, got numbers alone");
  REQUIRE(refusal("\xff\xfe"
                  "a") == "d.csv: the text is UTF-16; save it as UTF-8");
  REQUIRE(refusal("a,b\n1,2\n", {.id_column = "c"}) == "d.csv: header: need an id column \"c\", got \"a\", \"b\"");
  REQUIRE(refusal("a,b\n1,2\n", {.label_column = "c"}) == "d.csv: header: need a label column \"c\", got \"a\", \"b\"");
  REQUIRE(refusal("a\n1\n", {.id_column = "a"}) == "d.csv: header: no column is left as a feature");
  REQUIRE(message_of<invalid_argument>([] { (void)parse("a,b\n", {.id_column = "a", .label_column = "a"}); }) ==
          "read_csv: column \"a\" cannot be both id and label");
}

TEST_CASE("what is too long is refused") {
  REQUIRE(refusal("a,b,c\n", {.max_columns = 2}) == "d.csv: header: more than 2 columns");
  REQUIRE(refusal("a,n\n1,12345678\n2,123456789\n", {.id_column = "n", .max_cell = 8}) ==
          "d.csv: row 2 (line 3), column \"n\": a cell may have at most 8 bytes, got 9");
  REQUIRE(refusal("a\n\"123456789\"\n", {.max_cell = 8}) ==
          "d.csv: row 1 (line 2), column \"a\": a cell may have at most 8 bytes, got 9");
}

TEST_CASE("a written table reads back the same") {
  const scratch_folder folder;
  table rows;
  rows.values = tensor<double, 2>{{3, 2}};
  const numbers content{0.1, -1e-300, std::nan(""), 1.0 / 3, 123456789.0, 0};
  std::ranges::copy(content, rows.values.data());
  rows.columns = {"plain", " odd;\"name\"\n"};
  rows.ids = {"a", "", "c,\"d\"\r\n"};
  rows.labels = {0, 1, 0};
  rows.has_ids = rows.has_labels = true;
  rows.columns[1] = "odd;\"name\"\nx";
  write_csv(folder / "t.csv", rows);
  REQUIRE(content_of(folder / "t.csv") ==
          "id,plain,\"odd;\"\"name\"\"\nx\",label\na,0.1,-1e-300,0\n,,0.3333333333333333,1\n"
          "\"c,\"\"d\"\"\r\n\",123456789,0,0\n");
  const auto read = read_csv(folder / "t.csv", {.id_column = "id", .label_column = "label", .allow_missing = true});
  REQUIRE(read.columns == rows.columns);
  REQUIRE(read.ids == rows.ids);
  REQUIRE(read.labels == rows.labels);
  REQUIRE(std::isnan(read.values(1, 0)));
  REQUIRE(read.values(1, 1) == 1.0 / 3);
  REQUIRE(read.values(2, 0) == 123456789);
}

TEST_CASE("many cells in one row, and many rows, are read") {
  std::string wide = "c0", row = "0";
  for (int i = 1; i < 20'000; ++i) {
    wide += concat(",c", i);
    row += concat(",", i);
  }
  REQUIRE(values(wide + "\n" + row).back() == 19'999);
  std::string tall = "a\n";
  for (int i = 0; i < 20'000; ++i) tall += concat(i, "\n");
  REQUIRE(values(tall).back() == 19'999);
}

}  // namespace

}  // namespace csv_test
