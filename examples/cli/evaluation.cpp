// SPDX-License-Identifier: Apache-2.0
#include "evaluation.hpp"

#include <anodiff/version.hpp>
#include <cmath>
#include <numeric>

#include "console.hpp"

namespace anodiff::cli {

namespace {

std::string cap_text(const evaluate_flags& flags, index rows) {
  if (flags.published()) return rows < 1000 ? "resampled to 1000 rows" : "at most 50000 rows";
  if (flags.cap == 0) return "no cap";
  return concat("cap ", flags.cap, " rows", rows > flags.cap ? concat(" of ", rows) : ", not reached");
}

}  // namespace

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  double square = 0;
  for (const double v : values) square += (v - mean_of(values)) * (v - mean_of(values));
  return std::sqrt(square / static_cast<double>(values.size() - 1));
}

json evaluation_document(const evaluate_flags& flags, const formats::table& rows, const std::vector<outcome>& all) {
  const auto values = [&](double outcome::*member) {
    std::vector<double> out;
    for (const auto& one : all) out.push_back(one.*member);
    return out;
  };
  const auto mean = [&](double outcome::*member) { return mean_of(values(member)); };
  const auto spread = [&](double outcome::*member) {
    return json{{"mean", mean(member)}, {"sd", deviation_of(values(member))}, {"values", values(member)}};
  };
  // a seed changes how many normals the published protocol draws, but not the sum
  const auto train_rows = std::llround(mean(&outcome::train_rows));
  const auto all_rows = std::llround(all.front().train_rows + all.front().test_rows);
  auto numbers = all.front().numbers;
  std::erase_if(numbers, [](const auto& field) { return field.first == "seed"; });
  json alarm_rate{{"promised", nullptr}, {"obtained", nullptr}};
  if (all.front().promised) {
    double obtained = 0;
    for (const auto& one : all) obtained += *one.obtained / static_cast<double>(all.size());
    alarm_rate = {{"promised", *all.front().promised}, {"obtained", obtained}};
  }
  return {{"method", flags.method},
          {"params", object_of(numbers)},
          {"version", version},
          {"data", flags.data.path},
          {"protocol", flags.protocol},
          {"seeds", flags.seeds},
          {"n_train", train_rows},
          {"n_test", all_rows - train_rows},
          {"d", rows.columns.size()},
          {"cap", flags.published() ? json(nullptr) : json(flags.cap)},
          {"auroc", spread(&outcome::auroc)},
          {"ap", spread(&outcome::ap)},
          {"f1", spread(&outcome::f1)},
          {"f1_max", spread(&outcome::f1_max)},
          {"fit_s", {{"mean", mean(&outcome::fit_seconds)}}},
          {"score_s", {{"mean", mean(&outcome::score_seconds)}}},
          {"network_calls_per_row", all.front().network_calls},
          {"alarm_rate", alarm_rate}};
}

std::string evaluation_text(const evaluate_flags& flags, const formats::table& rows, const json& facts) {
  std::string out = concat(flags.method, " on ", flags.data.path, ", ", flags.protocol, " protocol, ",
                           cap_text(flags, rows.rows()), "\n");
  out += concat("train ", facts["n_train"].dump(), " rows, test ", facts["n_test"].dump(), ", ", rows.columns.size(),
                " columns; per cent over ", flags.seeds.size(), flags.seeds.size() == 1 ? " seed" : " seeds", "\n\n");
  out += concat(pad_right("", 8), pad_left("mean", 7), pad_left("sd", 7), "   by seed\n");
  const auto line = [&](const char* title, const char* key, const char* remark) {
    const auto& one = facts[key];
    out += concat(pad_right(title, 8), pad_left(per_cent(one["mean"].get<double>()), 7),
                  pad_left(per_cent(one["sd"].get<double>()), 7), "  ");
    for (const auto& value : one["values"]) out += concat(" ", per_cent(value.get<double>()));
    out += concat(remark, "\n");
  };
  line("AUROC", "auroc", "");
  line("AP", "ap", "");
  line("F1", "f1", "");
  line("F1-max", "f1_max", "   upper bound: the threshold is chosen with the test labels");
  const auto& rate = facts["alarm_rate"];
  if (!rate["promised"].is_null())
    out += concat("\nfalse alarms on test normals: ", per_cent(rate["obtained"].get<double>()), " %, promised ",
                  per_cent(rate["promised"].get<double>()), " %");
  return out + concat("\nfit ", short_seconds(facts["fit_s"]["mean"].get<double>()), ", score ",
                      short_seconds(facts["score_s"]["mean"].get<double>()), ", ",
                      facts["network_calls_per_row"].dump(), " network calls a row\n");
}

}  // namespace anodiff::cli
