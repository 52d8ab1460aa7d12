// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/base64.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/io/detail/html.hpp>
#include <anodiff/metrics/curve.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace anodiff::io {

/// What a report says of one picture; the pictures themselves are PNG files in bytes, empty where there is none.
struct report_picture {
  std::string name{};
  std::string kind{};                ///< its class, for the table of kinds; may be empty
  std::optional<int> label{};        ///< 1 = anomaly
  double score = 0;                  ///< higher is more anomalous
  std::optional<double> p_value{};   ///< in (0, 1]
  std::optional<bool> is_anomaly{};  ///< the verdict
  std::string remark{};              ///< shown beside it, such as what was dropped; may be empty
  formats::buffer input{}, reconstruction{}, overlay{};
};

/// A row of the table of metrics.
struct report_metric {
  std::string name{};
  double value = 0;
  std::optional<metrics::interval> interval{};
  std::string note{};
};

/// A curve to draw, with y in [0, 1].
struct report_curve {
  std::string title{}, x_name{}, y_name{};
  std::vector<metrics::curve_point> points{};
  double x_limit = 1;  ///< the curve is drawn from x = 0 to here; in (0, 1]
};

/// All that a report says. Texts may hold anything: they are escaped.
struct report {
  std::string title = "Anomaly report";
  std::vector<std::pair<std::string, std::string>>
      facts{};                        ///< name and text: the method, the model, the promised rate
  std::optional<double> threshold{};  ///< a score above it is an alarm
  std::vector<report_metric> metrics{};
  std::vector<report_curve> curves{};
  std::vector<report_picture> pictures{};
  std::size_t shown = 200;  ///< pictures shown, those of the highest scores; the tables and the histogram count all
};

namespace detail {

/// Pictures, alarms and the middle score of each kind.
[[nodiscard]] inline std::string kinds_table(const std::vector<report_picture>& pictures) {
  struct tally {
    std::string kind;
    std::vector<double> scores{};
    std::size_t judged = 0, alarms = 0;
  };
  std::vector<tally> kinds;  // few, in the order of names
  for (const auto& one : pictures) {
    std::size_t k = 0;
    while (k < kinds.size() && kinds[k].kind < one.kind) ++k;
    if (k == kinds.size() || kinds[k].kind != one.kind)
      kinds.insert(kinds.begin() + static_cast<std::ptrdiff_t>(k), tally{one.kind});
    kinds[k].scores.push_back(one.score);
    kinds[k].judged += one.is_anomaly.has_value() ? 1 : 0;
    kinds[k].alarms += one.is_anomaly.value_or(false) ? 1 : 0;
  }
  std::string out =
      "<table id=\"kinds\"><tr><th>kind</th><th class=\"number\">pictures</th><th class=\"number\">alarms</th>"
      "<th class=\"number\">median score</th></tr>\n";
  for (auto& [kind, scores, judged, alarms] : kinds) {
    const auto middle = scores.begin() + static_cast<std::ptrdiff_t>((scores.size() - 1) / 2);
    std::nth_element(scores.begin(), middle, scores.end());
    out += concat("<tr><td>", kind.empty() ? "all" : escape_html(kind), "</td><td class=\"number\">", scores.size(),
                  "</td><td class=\"number\">", judged == 0 ? std::string{"not judged"} : concat(alarms),
                  "</td><td class=\"number\">", short_number(*middle, 4), "</td></tr>\n");
  }
  return out + "</table>\n";
}

[[nodiscard]] inline std::string metrics_table(const std::vector<report_metric>& metrics) {
  std::string out =
      "<table id=\"metrics\"><tr><th>metric</th><th class=\"number\">value</th><th class=\"number\">interval</th>"
      "<th></th></tr>\n";
  for (const auto& [name, value, interval, note] : metrics)
    out += concat("<tr><td>", escape_html(name), "</td><td class=\"number\">", short_number(value, 4),
                  "</td><td class=\"number\">",
                  interval ? concat("[", short_number(interval->lower, 4), ", ", short_number(interval->upper, 4),
                                    "] at ", short_number(100 * interval->level, 4), " %")
                           : std::string{},
                  "</td><td class=\"soft\">", escape_html(note), "</td></tr>\n");
  return out + "</table>\n";
}

[[nodiscard]] inline std::string picture_card(const report_picture& one) {
  std::string out = concat("<section class=\"picture\"><header><b>", escape_html(one.name), "</b><span>score ",
                           short_number(one.score, 4), "</span>");
  if (one.p_value) out += concat("<span>p = ", short_number(*one.p_value, 3), "</span>");
  if (one.is_anomaly)
    out += *one.is_anomaly ? "<span class=\"alarm\">anomaly</span>" : "<span class=\"fine\">normal</span>";
  if (one.label) {
    out += concat("<span class=\"soft\">in truth ", *one.label == 1 ? "anomalous" : "normal");
    if (!one.kind.empty()) out += concat(", ", escape_html(one.kind));
    out += "</span>";
  }
  if (!one.remark.empty()) out += concat("<span class=\"soft\">", escape_html(one.remark), "</span>");
  out += "</header><div class=\"views\">";
  const auto view = [&](const formats::buffer& png, std::string_view what) {
    if (png.size() == 0) return;
    out += concat("<figure><img alt=\"", what, " of ", escape_html(one.name), "\" src=\"data:image/png;base64,",
                  formats::base64(png), "\"><figcaption>", what, "</figcaption></figure>");
  };
  view(one.input, "input");
  view(one.reconstruction, "reconstruction");
  view(one.overlay, "map");
  return out + "</div></section>\n";
}

inline void check_report(const report& from) {
  for (const auto& one : from.pictures)
    check<numeric_error>(std::isfinite(one.score), "write_report: needs finite scores, got ", one.score, " for ",
                         one.name);
  for (const auto& curve : from.curves)
    check(curve.x_limit > 0 && curve.x_limit <= 1, "write_report: x_limit must lie in (0, 1], got ", curve.x_limit);
}

}  // namespace detail

/// Writes a report as one HTML page that loads nothing from elsewhere and runs no script: facts, metrics with
/// intervals, a histogram of scores, curves, and the pictures of the highest scores. Throws numeric_error on a score
/// that is not finite, invalid_argument on a limit of a curve outside (0, 1].
template <formats::byte_sink Sink>
void write_report(Sink& sink, const report& from) {
  using detail::escape_html;
  detail::check_report(from);
  const auto put = [&](std::string_view text) { sink.write(formats::bytes_of(text)); };
  put(concat("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n",
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
             "style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
             escape_html(from.title), "</title>\n<style>", detail::report_style, "</style></head>\n<body>\n<h1>",
             escape_html(from.title), "</h1>\n"));

  const auto& pictures = from.pictures;
  std::size_t alarms = 0;
  for (const auto& one : pictures) alarms += one.is_anomaly.value_or(false) ? 1 : 0;
  put(concat("<p class=\"soft\" id=\"count\">", pictures.size(), pictures.size() == 1 ? " picture, " : " pictures, ",
             alarms, alarms == 1 ? " alarm" : " alarms"));
  if (from.threshold) put(concat(", threshold ", detail::short_number(*from.threshold, 4)));
  put("</p>\n");
  if (!from.facts.empty()) {
    put("<table id=\"facts\">");
    for (const auto& [name, text] : from.facts)
      put(concat("<tr><th>", escape_html(name), "</th><td>", escape_html(text), "</td></tr>\n"));
    put("</table>\n");
  }
  if (!from.metrics.empty()) put(concat("<h2>Metrics</h2>\n", detail::metrics_table(from.metrics)));
  if (!pictures.empty()) {
    std::vector<double> scores;
    std::vector<int> labels;
    for (const auto& one : pictures) {
      scores.push_back(one.score);
      if (one.label) labels.push_back(*one.label);
    }
    if (labels.size() != scores.size()) labels.clear();
    put("<h2>Scores</h2>\n<div class=\"charts\">\n");
    put(detail::score_histogram(scores, labels, from.threshold));
    for (const auto& [title, x_name, y_name, points, x_limit] : from.curves)
      put(detail::curve_chart(title, x_name, y_name, points, x_limit));
    put("</div>\n");
    put(detail::kinds_table(pictures));

    std::vector<std::size_t> order(pictures.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
    order.resize(std::min(order.size(), from.shown));
    put("<h2>Pictures</h2>\n<p class=\"soft\">");
    put(order.size() == pictures.size() ? std::string{"All"}
                                        : concat("The ", order.size(), " highest of ", pictures.size()));
    put(", from the highest score down.</p>\n");
    for (const auto i : order) put(detail::picture_card(pictures[i]));
  }
  put("</body></html>\n");
}

/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_report(const std::string& path, const report& from) {
  formats::write_file_atomically(path, [&](formats::file_sink& sink) { write_report(sink, from); });
}

}  // namespace anodiff::io
