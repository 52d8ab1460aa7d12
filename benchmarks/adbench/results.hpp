// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/formats/file.hpp>
#include <array>
#include <string>
#include <vector>
#include "../results_file.hpp"

/// The table of results: one CSV line for each method, set and seed, appended as soon as it is known, so that a run
/// that was cut goes on where it stopped.
namespace adbench {

inline constexpr std::array rates{0.01, 0.05, 0.10};

struct result {
  std::string protocol, method, set;
  std::uint64_t seed = 0;
  std::int64_t train = 0, test = 0, columns = 0;
  double auroc = 0, ap = 0, f1 = 0, f1_max = 0, fit_seconds = 0, score_seconds = 0;
  std::int64_t calibrated = 0, normals = 0;         ///< rows calibrated on (0: no calibration), normal test rows
  std::array<std::int64_t, rates.size()> alarms{};  ///< normal test rows whose p-value is at most each rate

  [[nodiscard]] bool same_run(const result& other) const {
    return protocol == other.protocol && method == other.method && set == other.set && seed == other.seed;
  }
};

inline constexpr std::string_view header =
    "protocol,method,set,seed,train,test,columns,auroc,ap,f1,f1_max,fit_s,score_s,calibrated,normals,alarms_1,alarms_5,"
    "alarms_10";

inline std::string line_of(const result& r) {
  std::string out = '"' + r.protocol + "\",\"" + r.method + "\",\"" + r.set + '"';
  for (const std::int64_t v : {static_cast<std::int64_t>(r.seed), r.train, r.test, r.columns})
    out += anodiff::concat(",", v);
  for (const double v : {r.auroc, r.ap, r.f1, r.f1_max}) out += anodiff::concat(",", v);
  for (const double v : {r.fit_seconds, r.score_seconds}) out += anodiff::concat(",", std::round(v * 1e4) / 1e4);
  for (const std::int64_t v : {r.calibrated, r.normals, r.alarms[0], r.alarms[1], r.alarms[2]})
    out += anodiff::concat(",", v);
  return out;
}

inline std::vector<result> read_results(const std::string& path) {
  std::vector<result> out;
  results_file::for_each_line(path, 18, [&](const results_file::line& line) {
    result r{.protocol = line.text(0), .method = line.text(1), .set = line.text(2)};
    line.number(3, r.seed);
    line.number(4, r.train);
    line.number(5, r.test);
    line.number(6, r.columns);
    line.number(7, r.auroc);
    line.number(8, r.ap);
    line.number(9, r.f1);
    line.number(10, r.f1_max);
    line.number(11, r.fit_seconds);
    line.number(12, r.score_seconds);
    line.number(13, r.calibrated);
    line.number(14, r.normals);
    for (std::size_t i = 0; i < rates.size(); ++i) line.number(15 + i, r.alarms[i]);
    out.push_back(std::move(r));
  });
  return out;
}

}  // namespace adbench
