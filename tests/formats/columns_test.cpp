// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/read_table.hpp>
#include <cmath>

namespace columns_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using anodiff::index;
using names = std::vector<std::string>;
using numbers = std::vector<double>;

const csv_options inferring{.infer_columns = true};

table parse(std::string_view text, const csv_options& options = inferring) {
  return parse_csv(bytes_of(text), "d.csv", options);
}
std::string refusal(std::string_view text, const csv_options& options = inferring) {
  return message_of([&] { (void)parse(text, options); });
}
numbers column_of(const table& rows, index j) {
  numbers out;
  for (index i = 0; i < rows.rows(); ++i) out.push_back(rows.values(i, j));
  return out;
}

constexpr auto things = "size,colour,n\n1,red,0\n2, blue ,1\n3,red,2\n4,\"a, b\",x\n";

TEST_CASE("columns of text become codes in the order of their names") {
  const auto read = parse("size,colour\n1,red\n2, blue \n3,red\n4,\"a, b\"\n5,10\n");
  REQUIRE(read.schema.size() == 2);
  REQUIRE(read.schema[0] == column_schema{});
  REQUIRE(read.schema[1].kind == column_kind::categorical);
  REQUIRE(read.schema[1].categories == names{"10", "a, b", "blue", "red"});
  REQUIRE(column_of(read, 0) == numbers{1, 2, 3, 4, 5});
  REQUIRE(column_of(read, 1) == numbers{3, 2, 3, 1, 0});
  REQUIRE(read.unseen.empty());
}

TEST_CASE("ids and labels are not inferred") {
  const auto read =
      parse("name,kind,y\nq,a,0\nr,b,1\n", {.id_column = "name", .label_column = "y", .infer_columns = true});
  REQUIRE(read.columns == names{"kind"});
  REQUIRE(read.schema.size() == 1);
  REQUIRE(read.ids == names{"q", "r"});
  REQUIRE(column_of(read, 0) == numbers{0, 1});
}

TEST_CASE("empty cells and NaN are missing in columns of both kinds") {
  const auto read = parse("a,b\n,x\n2,\nNaN,nan\n4,y\n");
  REQUIRE(std::isnan(read.values(0, 0)));
  REQUIRE(std::isnan(read.values(1, 1)));
  REQUIRE(std::isnan(read.values(2, 0)));
  REQUIRE(std::isnan(read.values(2, 1)));
  REQUIRE(read.schema[1].categories == names{"x", "y"});
  REQUIRE(parse("a\n\"\"\nnan\n").schema[0].kind == column_kind::numeric);
}

TEST_CASE("a misprint among numbers stays an error, and so does every text without the option") {
  REQUIRE(refusal(things) == "d.csv: row 4 (line 5), column \"n\": need a number, got \"x\"");
  REQUIRE(refusal(things, {}) == "d.csv: row 1 (line 2), column \"colour\": need a number, got \"red\"");
  REQUIRE(refusal("a\n1\ninf\n") == "d.csv: row 2 (line 3), column \"a\": need a finite number, got \"inf\"");
  REQUIRE(refusal("a,b\nx,1\ny\n") == "d.csv: row 2 (line 3): need 2 cells as in the header, got 1");
  REQUIRE(refusal("a,b\nx,1\n\"y,2\n") == "d.csv: row 2 (line 3), column \"a\": a quote has no end");
}

TEST_CASE("categories are bounded, and texts") {
  REQUIRE(parse("a\nx\ny\nx\n", {.infer_columns = true, .max_categories = 2}).schema[0].categories.size() == 2);
  REQUIRE(refusal("a\nx\ny\nz\n", {.infer_columns = true, .max_categories = 2}) ==
          "d.csv: row 3 (line 4), column \"a\": a categorical column may have at most 2 different texts, got \"z\" "
          "beside them; a column that names the rows is no feature");
  REQUIRE(refusal("a\n\xff\n") == "d.csv: row 1 (line 2), column \"a\": need a category in UTF-8, got another text");
}

TEST_CASE("a known schema gives its codes; a name that it lacks counts as other and is told") {
  const std::vector<named_column> known{{"kind", {column_kind::categorical, {"a", "b", "c"}}}, {"x", {}}};
  const csv_options options{.infer_columns = true, .max_categories = 2, .known = known};
  const auto read = parse("x,kind\n1,c\n2,q\n,b\n3,\n4,q\n5,1\n6,2\n", options);
  const auto codes = column_of(read, 1);
  REQUIRE(numbers{codes[0], codes[1], codes[2], codes[4], codes[5], codes[6]} == numbers{2, 3, 1, 3, 3, 3});
  REQUIRE(std::isnan(codes[3]));
  REQUIRE(read.schema[1].categories == names{"a", "b", "c"});
  REQUIRE(read.unseen.size() == 2);
  REQUIRE(read.unseen[1].column == "kind");
  REQUIRE(read.unseen[1].name == "q");
  REQUIRE(read.unseen[1].rows == 2);
  REQUIRE(refusal("x,kind\nred,a\n", options) == "d.csv: row 1 (line 2), column \"x\": need a number, got \"red\"");
}

TEST_CASE("one sentence says what was inferred") {
  REQUIRE(describe_columns(parse("size,colour\n1,red\n2,blue\n,red\n")) ==
          "1 numeric column, 1 categorical: \"colour\" (\"blue\", \"red\"); 1 missing value");
  REQUIRE(describe_columns(parse("a,b\n1,2\n")) == "2 numeric columns, 0 categorical; 0 missing values");
  std::string many = "a\n";
  for (char c = 'a'; c <= 'i'; ++c) many += concat(c, "\n");
  REQUIRE(describe_columns(parse(many)) ==
          "0 numeric columns, 1 categorical: \"a\" (\"a\", \"b\", \"c\", \"d\", \"e\", \"f\" and 3 more); 0 missing "
          "values");
}

TEST_CASE("a written table keeps its categories") {
  const auto read = parse("size,colour\n1,red\n2,\"a, b\"\n,\n");
  buffer written;
  write_csv(written, read);
  const auto again = parse_csv(written.span(), "again", inferring);
  REQUIRE(again.schema == read.schema);
  REQUIRE(column_of(again, 1)[0] == 1);
  REQUIRE(std::isnan(again.values(2, 1)));
  auto other = read;
  other.values(0, 1) = 2;
  buffer with_other;
  write_csv(with_other, other);
  REQUIRE(text_of(with_other.span()) == "size,colour\n1,other\n2,\"a, b\"\n,\n");
}

TEST_CASE("arrays are numeric, and may then lack values") {
  const scratch_folder folder;
  tensor<double, 2> x{{2, 2}};
  x(1, 0) = std::nan("");
  write_npy(folder / "x.npy", x);
  const auto read = read_table(folder / "x.npy", inferring);
  REQUIRE(read.schema == std::vector<column_schema>(2));
  REQUIRE(std::isnan(read.values(1, 0)));
}

}  // namespace

}  // namespace columns_test
