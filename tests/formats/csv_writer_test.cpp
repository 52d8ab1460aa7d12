// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/csv_writer.hpp>
#include <limits>

namespace csv_writer_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

template <class F>
std::string written(F&& f) {
  buffer out;
  csv_writer writer{out};
  f(writer);
  writer.finish();
  return std::string{text_of(out.span())};
}

TEST_CASE("cells are quoted only where a reader would err") {
  REQUIRE(written([](auto& w) {
            for (const auto* text :
                 {"plain", "with blank", "a,b", "a;b", "a\"b", "a\nb", "a\rb", " a", "a\t", "", "\xef\xbb\xbf"})
              w.cell(text);
            w.end_row();
          }) == "plain,with blank,\"a,b\",\"a;b\",\"a\"\"b\",\"a\nb\",\"a\rb\",\" a\",\"a\t\",,\"\xef\xbb\xbf\"\n");
}

TEST_CASE("numbers are shortest, a bool is 0 or 1, NaN is empty, infinity is refused") {
  REQUIRE(written([](auto& w) {
            w.cell(0.1);
            w.cell(-5);
            w.cell(true);
            w.cell(std::size_t{7});
            w.cell(std::numeric_limits<double>::quiet_NaN());
            w.cell(1e300);
            w.end_row();
          }) == "0.1,-5,1,7,,1e+300\n");
  REQUIRE(message_of<numeric_error>([] {
            (void)written([](auto& w) { w.cell(-std::numeric_limits<double>::infinity()); });
          }) == "csv_writer: a number to be written must be finite, got -inf");
}

TEST_CASE("a row of one empty cell is no blank line, also where the sink has just been filled") {
  REQUIRE(written([](auto& w) {
            for (int i = 0; i < 2; ++i) {
              w.cell("");
              w.end_row();
            }
            w.cell(std::string(70'000, 'x').c_str());
            w.end_row();
            w.cell("");
            w.end_row();
          }) == "\"\"\n\"\"\n" + std::string(70'000, 'x') + "\n\"\"\n");
}

}  // namespace

}  // namespace csv_writer_test
