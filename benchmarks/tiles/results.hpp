// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/io/picture_evaluation.hpp>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "../results_file.hpp"

/// The table of results: one CSV line for each method and seed, appended as soon as it is known, so that a run that was
/// cut goes on where it stopped. A line holds the metrics of many resamples of the test tiles too: the tiles of
/// resample b are the same for all methods, so that differences of methods have paired intervals.
namespace tiles {

inline constexpr std::array metric_names{"image AUROC", "pixel AUROC", "AUPRO 0.3"};
using metrics_of_one = std::array<double, metric_names.size()>;

struct result {
  std::string method;
  std::uint64_t seed = 0;
  std::int64_t steps = 0, train = 0, test = 0;
  metrics_of_one value{};  ///< NaN where the method has no map
  double fit_seconds = 0, picture_seconds = 0;
  std::string date{}, machine{}, commit{};
  std::vector<metrics_of_one> resampled{};
};

inline constexpr std::string_view header =
    "method,seed,steps,train,test,image_auroc,pixel_auroc,aupro_30,fit_s,picture_s,date,machine,commit,resamples";

inline std::string line_of(const result& r) {
  const auto decimal = [](double v) {
    char text[32];
    return std::string{text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.5f", v))};
  };
  std::string out = anodiff::concat('"', r.method, "\",", r.seed, ",", r.steps, ",", r.train, ",", r.test);
  for (const double v : r.value) out += "," + decimal(v);
  out += "," + decimal(r.fit_seconds) + "," + decimal(r.picture_seconds);
  for (const auto* text : {&r.date, &r.machine, &r.commit}) out += ",\"" + *text + '"';
  out += ',';
  for (std::size_t b = 0; b < r.resampled.size(); ++b) {
    if (b > 0) out += ';';
    for (std::size_t m = 0; m < metric_names.size(); ++m) out += (m > 0 ? " " : "") + decimal(r.resampled[b][m]);
  }
  return out;
}

inline std::vector<result> read_results(const std::string& path) {
  std::vector<result> out;
  results_file::for_each_line(path, 14, [&](const results_file::line& line) {
    result r{.method = line.text(0)};
    line.number(1, r.seed);
    line.number(2, r.steps);
    line.number(3, r.train);
    line.number(4, r.test);
    for (std::size_t m = 0; m < r.value.size(); ++m) line.number(5 + m, r.value[m]);
    line.number(8, r.fit_seconds);
    line.number(9, r.picture_seconds);
    r.date = line.text(10);
    r.machine = line.text(11);
    r.commit = line.text(12);
    const char* at = line.text(13).c_str();
    while (*at != '\0') {
      auto& one = r.resampled.emplace_back();
      for (double& v : one) {
        char* end = nullptr;
        v = std::strtod(at, &end);
        anodiff::check<anodiff::data_error>(end != at, path, ": the resamples of ", r.method, " cannot be read");
        at = end;
      }
      if (*at == ';') ++at;
    }
    out.push_back(std::move(r));
  });
  return out;
}

/// Which part each test picture shows: in the order of the last numbers in their names, pictures of one kind show one
/// part until the first number in the name, that of the exposure, comes again. Names with a single number are parts of
/// their own.
inline std::vector<std::size_t> parts_of(std::span<const anodiff::io::test_picture> pictures) {
  std::vector<std::size_t> order(pictures.size()), out(pictures.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::pair{pictures[a].kind, anodiff::io::detail::number_key(pictures[a].path)} <
           std::pair{pictures[b].kind, anodiff::io::detail::number_key(pictures[b].path)};
  });
  std::string kind;
  std::vector<std::string> seen;  // exposures of the part at hand
  std::size_t part = 0;
  for (const std::size_t i : order) {
    const auto stem = anodiff::io::stem_of(pictures[i].path);
    constexpr std::string_view digits = "0123456789";
    const auto begin = stem.find_first_of(digits), end = stem.find_first_not_of(digits, begin);
    const bool two = begin != std::string_view::npos && end != std::string_view::npos &&
                     stem.find_first_of(digits, end) != std::string_view::npos;
    const std::string exposure{two ? stem.substr(begin, end - begin) : std::string_view{}};
    const bool joins = two && kind == pictures[i].kind && !seen.empty() && !seen.front().empty() &&
                       std::ranges::find(seen, exposure) == seen.end();
    if (!joins) {
      seen.clear();
      ++part;
    }
    kind = pictures[i].kind;
    seen.push_back(exposure);
    out[i] = part;
  }
  return out;
}

/// How often each picture counts in resample b: whole parts are drawn with replacement, normal and anomalous ones
/// apart.
inline std::vector<std::uint32_t> resample(std::span<const std::size_t> parts,
                                           std::span<const anodiff::io::test_picture> pictures, std::uint32_t b) {
  std::vector<std::uint32_t> out(pictures.size(), 0);
  for (const int label : {0, 1}) {
    std::vector<std::size_t> own;  // parts of that label, in the order of pictures
    for (std::size_t i = 0; i < pictures.size(); ++i)
      if (pictures[i].label == label && std::ranges::find(own, parts[i]) == own.end()) own.push_back(parts[i]);
    const anodiff::noise_key key{0, b, static_cast<std::uint32_t>(label), anodiff::purpose::repeat};
    for (std::size_t k = 0; k < own.size(); ++k) {
      const std::size_t drawn = own[anodiff::random_below(key, k, own.size())];
      for (std::size_t i = 0; i < pictures.size(); ++i) out[i] += parts[i] == drawn ? 1 : 0;
    }
  }
  return out;
}

/// The metrics of an evaluation, of it as it is and of resamples of its parts.
inline void measure(const anodiff::io::picture_evaluation& found, int resamples, result& out) {
  const auto scores = found.scores();
  const bool maps = std::ranges::all_of(found.found, [](const auto& f) { return f.map.size() > 0; });
  std::vector<std::size_t> shown;  // pictures that are judged by pixels
  for (std::size_t i = 0; i < found.pictures.size(); ++i)
    if (found.pictures[i].label == 0 || found.masks[i].size() > 0) shown.push_back(i);
  std::optional<anodiff::metrics::pixel_ranking> pixels;
  if (maps) pixels.emplace(found.pixels());
  const auto of = [&](const std::vector<std::uint32_t>& times) {
    std::map<double, anodiff::metrics::tie_group, std::greater<>> groups;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (times[i] == 0) continue;
      auto& group = groups.try_emplace(scores[i], anodiff::metrics::tie_group{.score = scores[i]}).first->second;
      (found.pictures[i].label == 1 ? group.positives : group.negatives) += times[i];
    }
    std::vector<anodiff::metrics::tie_group> sorted;
    for (const auto& [score, group] : groups) sorted.push_back(group);
    const double none = std::numeric_limits<double>::quiet_NaN();
    metrics_of_one values{anodiff::metrics::auroc(anodiff::metrics::ranking{std::move(sorted)}), none, none};
    if (!pixels) return values;
    std::vector<std::uint32_t> own;
    for (const std::size_t i : shown) own.push_back(times[i]);
    const auto drawn = pixels->resampled(std::move(own));
    values[1] = anodiff::metrics::pixel_auroc(drawn);
    values[2] = anodiff::metrics::aupro(drawn, 0.3);
    return values;
  };
  out.value = of(std::vector<std::uint32_t>(scores.size(), 1));
  const auto parts = parts_of(found.pictures);
  for (int b = 0; b < resamples; ++b)
    out.resampled.push_back(of(resample(parts, found.pictures, static_cast<std::uint32_t>(b))));
}

}  // namespace tiles
