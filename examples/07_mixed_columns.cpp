// SPDX-License-Identifier: Apache-2.0
// Numbers, names and gaps in one table: the reader says what it takes each column for, a detector whose preprocessing
// is `mixed` learns from them, and the evidence is still one number a column.
#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/csv.hpp>
#include <anodiff/methods/rows_default.hpp>
#include <anodiff/preprocessing/mixed.hpp>
#include <cstdio>
#include <exception>
#include <string>

namespace ad = anodiff;

// 1. A method's policies with another preprocessing.
template <class Parts>
struct on_mixed_columns : Parts {
  using preprocessor_type = ad::preprocessing::mixed;
};
using method = ad::basic_detector<on_mixed_columns<ad::methods::rows_default<ad::cpu_engine>::parts_type>>;

/// Parcels: weight, price and kind; the price follows the weight, letters are light, and now and then no one weighed.
std::string parcels(int rows, std::uint64_t seed) {
  std::string out = "weight,kind,price\n";
  const ad::noise_key key{.seed = seed};
  for (int i = 0; i < rows; ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    const bool letter = ad::random_uniform(key, at + 2) < 0.5;
    const double weight = (letter ? 0.1 : 5) * (1 + 0.2 * ad::random_normal(key, at));
    out += i % 10 == 3 ? "" : ad::concat(weight);
    out += ad::concat(letter       ? ",letter,"
                      : i % 3 == 0 ? ",express,"
                                   : ",parcel,",
                      1 + 2 * weight + 0.05 * ad::random_normal(key, at + 1), "\n");
  }
  return out;
}
ad::formats::table read(const std::string& text, const ad::formats::csv_options& how) {
  return ad::formats::parse_csv(ad::formats::bytes_of(text), "parcels.csv", how);
}

int main() {
  try {
    // 2. Columns of text become codes; empty cells become NaN.
    const auto known = read(parcels(600, 1), {.infer_columns = true});
    std::printf("%s\n", ad::formats::describe_columns(known).c_str());
    method model{{.seed = 7}};
    model.fit(known.values, {.columns = known.columns, .schema = known.schema});

    // 3. Later tables are read with the schema that was learned.
    ad::formats::csv_options later{.infer_columns = true};
    for (std::size_t j = 0; j < known.columns.size(); ++j)
      later.known.push_back({known.columns[j], model.record().schema[j]});
    const auto fresh = read(parcels(50, 2) + "0.1,drone,1.2\n0.1,letter,\n", later);
    for (const auto& [column, name, rows] : fresh.unseen)
      std::printf("%s: \"%s\" is new\n", column.c_str(), name.c_str());

    const auto found = model.score(fresh.values);
    bool right = true;
    for (const auto& [row, culprit] : {std::pair<ad::index, std::size_t>{50, 1}, {51, 2}}) {
      const auto evidence = found.map(row);
      const auto most = static_cast<std::size_t>(std::ranges::max_element(evidence) - evidence.begin());
      const bool alarm = found.is_anomaly[static_cast<std::size_t>(row)] == 1;
      std::printf("row %d: %s, most of it from %s\n", static_cast<int>(row) + 1, alarm ? "alarm" : "no alarm",
                  known.columns[most].c_str());
      right = right && alarm && most == culprit;
    }
    return right ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
