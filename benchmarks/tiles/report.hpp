// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <ostream>

#include "results.hpp"

namespace tiles {

/// One method over its seeds.
struct summary {
  std::string method;
  std::int64_t steps = 0;
  std::size_t seeds = 0;
  metrics_of_one mean{}, deviation{};
  double fit_seconds = 0, picture_seconds = 0;
  std::vector<metrics_of_one> resampled{};  ///< the mean over the seeds of each resample
};

inline std::vector<summary> summaries_of(const std::vector<result>& all) {
  std::vector<summary> out;
  for (const auto& r : all) {
    auto at = std::ranges::find(out, r.method, &summary::method);
    if (at == out.end()) {
      out.push_back({.method = r.method, .steps = r.steps});
      at = std::prev(out.end());
      at->resampled.resize(r.resampled.size());
    }
    anodiff::check<anodiff::data_error>(at->resampled.size() == r.resampled.size() && at->steps == r.steps,
                                        "the results of ", r.method, " differ in steps or in resamples");
    ++at->seeds;
  }
  for (auto& s : out) {
    const auto n = static_cast<double>(s.seeds);
    for (const auto& r : all) {
      if (r.method != s.method) continue;
      s.fit_seconds += r.fit_seconds / n;
      s.picture_seconds += r.picture_seconds / n;
      for (std::size_t m = 0; m < metric_names.size(); ++m) {
        s.mean[m] += r.value[m] / n;
        for (std::size_t b = 0; b < s.resampled.size(); ++b) s.resampled[b][m] += r.resampled[b][m] / n;
      }
    }
    for (const auto& r : all)
      if (r.method == s.method && s.seeds > 1)
        for (std::size_t m = 0; m < metric_names.size(); ++m)
          s.deviation[m] += (r.value[m] - s.mean[m]) * (r.value[m] - s.mean[m]) / (n - 1);
    for (double& v : s.deviation) v = std::sqrt(v);
  }
  return out;
}

/// The middle 95 % of values, as text in per cent; empty where there are too few.
inline std::string middle_of(std::vector<double> values) {
  if (values.size() < 39 || std::isnan(values.front())) return "";
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(static_cast<double>(values.size() + 1) * 0.025 * (1 + 1e-9));
  char text[64];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.1f … %.1f", 100 * values[rank - 1],
                                                       100 * values[values.size() - rank]))};
}

/// Tables in Markdown: every method with intervals, and how far `ours` is above each, on the same resampled parts.
inline void report(std::ostream& to, const std::vector<result>& all, const std::string& ours) {
  const auto methods = summaries_of(all);
  const auto cell = [](double v) {
    char text[32];
    return std::isnan(v)
               ? std::string{}
               : std::string{text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.2f", 100 * v))};
  };
  to << "| method | steps | seeds |";
  for (const auto name : metric_names) to << ' ' << name << " | sd | 95 % |";
  to << " fit s | ms a picture |\n|---|---|---|";
  for (std::size_t m = 0; m < metric_names.size(); ++m) to << "---|---|---|";
  to << "---|---|\n";
  const auto column = [](const summary& s, std::size_t m) {
    std::vector<double> out;
    for (const auto& one : s.resampled) out.push_back(one[m]);
    return out;
  };
  for (const auto& s : methods) {
    to << "| " << s.method << " | " << s.steps << " | " << s.seeds << " |";
    for (std::size_t m = 0; m < metric_names.size(); ++m)
      to << ' ' << cell(s.mean[m]) << " | " << (s.seeds > 1 ? cell(s.deviation[m]) : "") << " | "
         << middle_of(column(s, m)) << " |";
    char text[64];
    to << ' '
       << std::string_view{text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.0f | %.0f |",
                                                                        s.fit_seconds, 1000 * s.picture_seconds))}
       << '\n';
  }
  const auto own = std::ranges::find(methods, ours, &summary::method);
  if (own == methods.end()) return;
  to << '\n' << ours << " above each, in points, with the middle 95 % over resampled parts:\n\n| method |";
  for (const auto name : metric_names) to << ' ' << name << " | 95 % |";
  to << "\n|---|---|---|---|---|---|---|\n";
  for (const auto& s : methods) {
    if (s.method == ours || s.resampled.size() != own->resampled.size()) continue;
    to << "| " << s.method << " |";
    for (std::size_t m = 0; m < metric_names.size(); ++m) {
      std::vector<double> apart;
      for (std::size_t b = 0; b < s.resampled.size(); ++b) apart.push_back(own->resampled[b][m] - s.resampled[b][m]);
      to << ' ' << cell(own->mean[m] - s.mean[m]) << " | " << middle_of(std::move(apart)) << " |";
    }
    to << '\n';
  }
  to << '\n';
  std::vector<std::string> places;
  for (const auto& r : all) {
    const auto place = r.date.substr(0, 10) + ", " + r.machine + ", commit " + r.commit;
    if (std::ranges::find(places, place) == places.end()) places.push_back(place);
  }
  for (const auto& place : places) to << place << '\n';
}

}  // namespace tiles
