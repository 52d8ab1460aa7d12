// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/io/detail/tiny_font.hpp>
#include <anodiff/metrics/curve.hpp>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anodiff::io::detail {

/// Text that HTML takes for text, in an element or in a quoted attribute; control characters become U+FFFD.
[[nodiscard]] inline std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
          out += "\xef\xbf\xbd";
        else
          out += c;
    }
  return out;
}

/// A coordinate in a drawing, to a tenth of its unit.
[[nodiscard]] inline std::string place(double x) { return concat(std::round(10 * x) / 10); }

/// The inside of a chart: left, top, width and height in a drawing, and the values at its edges.
struct chart_frame {
  double x_low, x_high, y_high;  // y begins at 0
  static constexpr double left = 52, top = 12, width = 380, height = 220, total_width = 450, total_height = 284;
  [[nodiscard]] double x(double value) const noexcept { return left + width * (value - x_low) / (x_high - x_low); }
  [[nodiscard]] double y(double value) const noexcept { return top + height * (1 - value / y_high); }
};

/// Round numbers from low to high, at most six.
[[nodiscard]] inline std::vector<double> round_ticks(double low, double high) {
  const double raw = (high - low) / 5, ten = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * ten;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * ten >= raw * (1 - 1e-9)) step = factor * ten;
  std::vector<double> out;
  for (double k = std::ceil(low / step - 1e-9) + 0.0; k * step <= high + 1e-9 * step; k += 1) out.push_back(k * step);
  return out;
}

/// Opens a drawing with its axes and their names.
[[nodiscard]] inline std::string begin_chart(const chart_frame& frame, std::string_view title, std::string_view x_name,
                                             std::string_view y_name) {
  using f = chart_frame;
  std::string out = concat("<figure><svg role=\"img\" viewBox=\"0 0 ", f::total_width, ' ', f::total_height,
                           "\"><title>", escape_html(title), "</title>");
  for (const double tick : round_ticks(frame.x_low, frame.x_high))
    out += concat("<line class=\"grid\" x1=\"", place(frame.x(tick)), "\" x2=\"", place(frame.x(tick)), "\" y1=\"",
                  f::top, "\" y2=\"", f::top + f::height, "\"/><text x=\"", place(frame.x(tick)), "\" y=\"",
                  f::top + f::height + 16, "\" text-anchor=\"middle\">", short_number(tick, 4), "</text>");
  for (const double tick : round_ticks(0, frame.y_high))
    out += concat("<line class=\"grid\" x1=\"", f::left, "\" x2=\"", f::left + f::width, "\" y1=\"",
                  place(frame.y(tick)), "\" y2=\"", place(frame.y(tick)), "\"/><text x=\"", f::left - 6, "\" y=\"",
                  place(frame.y(tick) + 4), "\" text-anchor=\"end\">", short_number(tick, 4), "</text>");
  out += concat("<rect class=\"frame\" x=\"", f::left, "\" y=\"", f::top, "\" width=\"", f::width, "\" height=\"",
                f::height, "\"/><text x=\"", f::left + f::width / 2, "\" y=\"", f::total_height - 12,
                "\" text-anchor=\"middle\">", escape_html(x_name), "</text><text transform=\"translate(13 ",
                f::top + f::height / 2, ") rotate(-90)\" text-anchor=\"middle\">", escape_html(y_name), "</text>");
  return out;
}

/// How many scores fall into each of equal bins, from low to high; with labels, anomalies apart.
struct score_bins {
  double low = 0, high = 1;
  std::vector<index> normal, anomalous;  // without labels all are in normal
};
[[nodiscard]] inline score_bins bin_scores(std::span<const double> scores, std::span<const int> labels,
                                           std::optional<double> threshold) {
  constexpr std::size_t bins = 40;
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  score_bins out{*least, *most, std::vector<index>(bins, 0), std::vector<index>(bins, 0)};
  if (threshold && std::isfinite(*threshold)) {  // it must be seen
    out.low = std::min(out.low, *threshold);
    out.high = std::max(out.high, *threshold);
  }
  const double spread = out.high - out.low, size = std::max(std::abs(out.low), std::abs(out.high));
  const double pad = spread > 1e-9 * size ? 0.02 * spread : 0.5 + 0.01 * size;  // ticks need a step that counts
  out.low -= pad;
  out.high += pad;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double share = (scores[i] - out.low) / (out.high - out.low);
    const auto bin = std::min(bins - 1, static_cast<std::size_t>(share * static_cast<double>(bins)));
    (!labels.empty() && labels[i] == 1 ? out.anomalous : out.normal)[bin] += 1;
  }
  return out;
}

[[nodiscard]] inline std::string score_histogram(std::span<const double> scores, std::span<const int> labels,
                                                 std::optional<double> threshold) {
  using f = chart_frame;
  const auto bins = bin_scores(scores, labels, threshold);
  index highest = 1;
  for (std::size_t k = 0; k < bins.normal.size(); ++k) highest = std::max(highest, bins.normal[k] + bins.anomalous[k]);
  const chart_frame frame{bins.low, bins.high, static_cast<double>(highest) * 1.08};
  std::string out = begin_chart(frame, "Histogram of scores", "score", "pictures");
  const double width = f::width / static_cast<double>(bins.normal.size());
  for (std::size_t k = 0; k < bins.normal.size(); ++k) {
    double base = 0;
    const auto bar = [&](index count, std::string_view kind) {
      if (count == 0) return;
      const double top = base + static_cast<double>(count);
      out += concat("<rect class=\"", kind, "\" x=\"", place(f::left + static_cast<double>(k) * width), "\" y=\"",
                    place(frame.y(top)), "\" width=\"", place(width - 0.5), "\" height=\"",
                    place(frame.y(base) - frame.y(top)), "\"><title>", count, "</title></rect>");
      base = top;
    };
    bar(bins.normal[k], labels.empty() ? "all" : "normal");
    bar(bins.anomalous[k], "anomalous");
  }
  if (threshold && std::isfinite(*threshold)) {
    const double x = frame.x(*threshold);
    const bool right = x > f::left + f::width * 0.7;
    out += concat("<line class=\"threshold\" x1=\"", place(x), "\" x2=\"", place(x), "\" y1=\"", f::top, "\" y2=\"",
                  f::top + f::height, "\"/><text class=\"threshold\" x=\"", place(right ? x - 5 : x + 5), "\" y=\"",
                  f::top + 13, "\" text-anchor=\"", right ? "end" : "start", "\">threshold ",
                  short_number(*threshold, 4), "</text>");
  }
  out += "</svg><figcaption>Scores";
  if (!labels.empty())
    out += " <span class=\"key normal\"></span>normal <span class=\"key anomalous\"></span>anomalous, one on the other";
  return out + "</figcaption></figure>\n";
}

/// A curve up to x_limit, with the points that a drawing can show.
[[nodiscard]] inline std::string curve_chart(std::string_view title, std::string_view x_name, std::string_view y_name,
                                             std::span<const metrics::curve_point> points, double x_limit) {
  const chart_frame frame{0, x_limit, 1};
  std::string out = begin_chart(frame, title, x_name, y_name), line;
  metrics::curve_point drawn{-1, -1}, before{};
  const auto draw = [&](const metrics::curve_point& p) {
    line += concat(line.empty() ? "" : " ", place(frame.x(p.x)), ",", place(frame.y(p.y)));
    drawn = p;
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto p = points[i];
    const bool last = i + 1 == points.size() || p.x >= x_limit;
    if (p.x > x_limit) p = {x_limit, before.y + (p.y - before.y) * (x_limit - before.x) / (p.x - before.x)};
    const bool moved = std::abs(p.x - drawn.x) > x_limit / 400 || std::abs(p.y - drawn.y) > 1.0 / 400;
    if (moved && i > 0 && before != drawn) draw(before);  // keeps a corner where it is
    if (moved || last) draw(p);
    before = p;
    if (last && points[i].x >= x_limit) break;
  }
  return out + concat("<polyline class=\"curve\" points=\"", line, "\"/></svg><figcaption>", escape_html(title),
                      "</figcaption></figure>\n");
}

/// The only styles of a report; colours that also readers who confuse red and green tell apart.
inline constexpr std::string_view report_style = R"(
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #6b6b70; --line: #d9d9de; --ground: #fff; --card: #f6f6f8;
  --normal: #3f78b5; --anomalous: #dd7a2b; --alarm: #b3261e; --fine: #2f6f4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --soft: #a0a0a8; --line: #3a3a40; --ground: #161618;
  --card: #202024; --normal: #6fa3dc; --anomalous: #f0a05c; --alarm: #ff8a80; --fine: #7fd1a5; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); margin: 2rem auto;
  max-width: 76rem; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2rem 0 .7rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .28rem 1.1rem .28rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 500; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); } .charts { display: flex; flex-wrap: wrap; gap: 1.2rem; }
figure { margin: 0; } .charts + table { margin-top: 1rem; } .charts figure { flex: 1 1 22rem; max-width: 30rem; }
figcaption { color: var(--soft); font-size: .85rem; text-align: center; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: .7; } svg .frame { fill: none; stroke: var(--soft); }
svg .normal, svg .all { fill: var(--normal); } svg .anomalous { fill: var(--anomalous); }
svg line.threshold { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 3; }
svg text.threshold { fill: var(--ink); font-weight: 600; }
svg .curve { fill: none; stroke: var(--normal); stroke-width: 2; stroke-linejoin: round; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .6em; }
.key.normal { background: var(--normal); } .key.anomalous { background: var(--anomalous); }
.picture { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem;
  margin: 0 0 1rem; } .picture header { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; align-items: baseline;
  margin-bottom: .5rem; } .picture header b { overflow-wrap: anywhere; }
.alarm { color: var(--alarm); font-weight: 600; } .fine { color: var(--fine); font-weight: 600; }
.views { display: flex; flex-wrap: wrap; gap: 1rem; } .views figure { max-width: 100%; }
.views img { display: block; height: 15rem; max-width: 100%; object-fit: contain; margin-bottom: .2rem; }
)";

}  // namespace anodiff::io::detail
