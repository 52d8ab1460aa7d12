// SPDX-License-Identifier: Apache-2.0
#include "require.hpp"

#include <algorithm>
#include <anodiff/formats/csv.hpp>
#include <cmath>

namespace {

using namespace anodiff::formats;

void try_options(byte_span content, const csv_options& options) {
  const table read = parse_csv(content, "fuzz", options);
  require(read.columns.size() == static_cast<std::size_t>(read.values.extent(1)), "each column has a name");
  require(read.ids.size() == (read.has_ids ? static_cast<std::size_t>(read.rows()) : 0), "each row has its id");
  require(read.labels.size() == (read.has_labels ? static_cast<std::size_t>(read.rows()) : 0),
          "each row has its label");
  buffer written;
  write_csv(written, read, options.id_column, options.label_column);
  const table again = parse_csv(written.span(), "again", options);
  require(again.columns == read.columns && again.ids == read.ids && again.labels == read.labels, "texts are kept");
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  require(std::ranges::equal(again.values.flat(), read.values.flat(), same), "numbers are kept");
  require(again.schema == read.schema, "kinds and categories are kept");
  if (options.infer_columns) {
    require(read.schema.size() == read.columns.size(), "each column has a kind");
    auto known = options;
    for (std::size_t j = 0; j < read.columns.size(); ++j) {
      known.known.push_back({read.columns[j], read.schema[j]});
      require(read.schema[j].categories.size() <= options.max_categories, "categories are bounded");
      require(std::ranges::is_sorted(read.schema[j].categories), "categories are sorted");
    }
    const table later = parse_csv(content, "later", known);
    require(later.unseen.empty() && std::ranges::equal(later.values.flat(), read.values.flat(), same),
            "a known schema gives the codes that were inferred");
  }
  require(options.allow_missing || options.infer_columns ||
              std::ranges::all_of(read.values.flat(), [](double v) { return std::isfinite(v); }),
          "numbers are finite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_span content = std::as_bytes(std::span{data, size});
  for (const auto& options :
       {csv_options{}, csv_options{.allow_missing = true}, csv_options{.infer_columns = true, .max_categories = 4},
        csv_options{.id_column = "id", .label_column = "label", .max_columns = 8, .max_cell = 64}}) {
    try {
      try_options(content, options);
    } catch (const anodiff::error&) {
    }
  }
  return 0;
}
