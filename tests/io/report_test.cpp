// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/report_picture.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "formats/fixtures.hpp"

namespace report_test {

namespace {

using namespace anodiff;
using namespace anodiff::io;
using namespace formats_fixtures;
using Catch::Contains;

std::string text_of_report(const report& from) {
  formats::buffer out;
  write_report(out, from);
  return std::string{formats::text_of(out.span())};
}
report_picture scored(std::string name, double score, std::optional<int> label = {}) {
  report_picture out{.name = std::move(name), .label = label, .score = score};
  return out;
}
/// A picture with a bright spot, its smooth reconstruction and the difference.
report_picture spotted(std::string name, anodiff::index size, float height) {
  tensor<float, 3> picture{{size, size, 1}}, rebuilt{{size, size, 1}};
  tensor<float, 2> map{{size, size}};
  for (anodiff::index i = 0; i < size; ++i)
    for (anodiff::index j = 0; j < size; ++j) {
      const double away = std::hypot(static_cast<double>(i - size / 2), static_cast<double>(j - size / 3));
      const float spot = height * static_cast<float>(std::exp(-away * away / 20));
      rebuilt.data()[i * size + j] = 0.3f + 0.3f * static_cast<float>(i) / static_cast<float>(size);
      picture.data()[i * size + j] = rebuilt.data()[i * size + j] + spot;
      map(i, j) = spot;
    }
  return make_report_picture(std::move(name), picture, rebuilt, map,
                             {.range = {0, 0.5}, .regions = {.threshold = 0.2, .minimum_pixels = 4}});
}
report full_report() {
  report out{.title = "Tiles <i>&", .facts = {{"method", "damage \"residual\""}}, .threshold = 0.25};
  for (int i = 0; i < 40; ++i) {
    auto one = spotted(concat("part-", i, ".png"), 48, i % 8 == 0 ? 0.45f : 0.05f);
    one.label = i % 8 == 0 ? 1 : 0;
    one.kind = i % 8 == 0 ? "hole" : "good";
    one.score = 0.01 * i + (i % 8 == 0 ? 0.3 : 0);
    one.p_value = 1.0 / (i + 1);
    one.is_anomaly = one.score > 0.25;
    out.pictures.push_back(std::move(one));
  }
  out.metrics = {{"AUROC", 0.98765, metrics::interval{0.9, 0.999, 0.95}, ""},
                 {"AUPRO", 0.87654, std::nullopt, "limit 0.3"}};
  out.curves = {{"ROC", "false alarms", "found", {{0, 0}, {0.1, 0.8}, {1, 1}}},
                {"PRO", "false alarms", "overlap", {{0, 0}, {0.2, 0.5}, {0.4, 0.9}, {1, 1}}, 0.3}};
  return out;
}

TEST_CASE("every text is escaped") {
  const std::string bad = "<script>alert('1')</script>&\"\x01";
  const std::string good = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;\xef\xbf\xbd";
  REQUIRE(io::detail::escape_html(bad) == good);
  report from{.title = bad, .facts = {{bad, bad}}};
  from.metrics = {{bad, 1, std::nullopt, bad}};
  from.curves = {{bad, bad, bad, {{0, 0}, {1, 1}}}};
  from.pictures.push_back(scored(bad, 1, 1));
  from.pictures[0].kind = bad;
  from.pictures[0].input = formats::buffer{formats::bytes_of("x")};
  const auto text = text_of_report(from);
  REQUIRE(text.find("<script") == std::string::npos);
  REQUIRE(text.find('\x01') == std::string::npos);
  std::size_t count = 0;
  for (auto at = text.find(good); at != std::string::npos; at = text.find(good, at + 1)) ++count;
  REQUIRE(count ==
          14);  // title and heading, 2 + 2 + 4 (a curve's title twice), name, kind in two places, alt of a view
}

TEST_CASE("a report holds its numbers and loads nothing from elsewhere") {
  const auto text = text_of_report(full_report());
  for (const auto* part : {"40 pictures, 18 alarms, threshold 0.25", "damage &quot;residual&quot;", "<td>AUROC</td>",
                           "0.9877", "[0.9, 0.999] at 95 %", "limit 0.3", "threshold 0.25</text>", "score 0.62",
                           "p = 0.0303", "in truth anomalous, hole", "<td>good</td><td class=\"number\">35</td>",
                           "<td>hole</td><td class=\"number\">5</td><td class=\"number\">5</td>"})
    REQUIRE(text.find(part) != std::string::npos);
  for (const auto* part : {">-0<", "http:", "https:", "src=\"//", "<script", "<link", "url(", "@import"})
    REQUIRE(text.find(part) == std::string::npos);
  REQUIRE(text.find("part-32.png") < text.find("part-24.png"));  // from the highest score down
  REQUIRE(text_of_report(full_report()) == text);
}

TEST_CASE("only the highest are shown where there are many") {
  auto from = full_report();
  from.shown = 2;
  const auto text = text_of_report(from);
  REQUIRE_THAT(text, Contains("The 2 highest of 40, from the highest score down."));
  REQUIRE_THAT(text, Contains("part-32.png") && Contains("part-24.png") && !Contains("part-16.png"));
  REQUIRE_THAT(text, Contains("40 pictures"));
}

TEST_CASE("bins count every score once, and equal scores have a bin too") {
  const std::vector<double> scores{1, 2, 2, 3, 9};
  const std::vector<int> labels{0, 0, 1, 0, 1};
  const auto bins = io::detail::bin_scores(scores, labels, 20.0);
  REQUIRE((bins.low < 1 && bins.high > 20));
  REQUIRE(std::accumulate(bins.normal.begin(), bins.normal.end(), anodiff::index{0}) == 3);
  REQUIRE(std::accumulate(bins.anomalous.begin(), bins.anomalous.end(), anodiff::index{0}) == 2);
  const std::vector<double> equal(7, -4.0);
  const auto one = io::detail::bin_scores(equal, {}, std::nullopt);
  REQUIRE(std::ranges::count(one.normal, 7) == 1);
  for (const double scale : {1e-300, 1.0, 1e300}) {
    report from;
    from.pictures.push_back(scored("a", scale));
    from.pictures.push_back(scored("b", 2 * scale));
    from.pictures.push_back(scored("c", std::nextafter(scale, 0.0)));
    REQUIRE(text_of_report(from).find("nan") == std::string::npos);
    from.pictures.erase(from.pictures.begin() + 1);
    REQUIRE(text_of_report(from).find("nan") == std::string::npos);
  }
}

TEST_CASE("ticks are round and few") {
  using list = std::vector<double>;
  REQUIRE(io::detail::round_ticks(0, 1) == list{0, 0.2, 0.4, 0.2 * 3, 0.8, 1});
  REQUIRE(io::detail::round_ticks(3, 47) == list{10, 20, 30, 40});
  REQUIRE(io::detail::round_ticks(-1.5, 1.5) == list{-1, 0, 1});
}

TEST_CASE("a curve keeps its corners and ends at its limit") {
  const std::vector<metrics::curve_point> points{{0, 0}, {0, 0.5}, {0.2, 0.5}, {0.4, 1}, {1, 1}};
  const auto text = io::detail::curve_chart("c", "x", "y", points, 0.3);
  // x: 52 + 380 x / 0.3, y: 12 + 220 (1 - y); at 0.3 the height is 0.75
  REQUIRE_THAT(text, Contains("points=\"52,232 52,122 305.3,122 432,67\""));
  std::vector<metrics::curve_point> many;
  for (int i = 0; i <= 100000; ++i) many.push_back({i / 100000.0, i / 100000.0});
  REQUIRE(io::detail::curve_chart("c", "x", "y", many, 1).size() < 20000);
}

TEST_CASE("a large picture is reduced, and its small peak stays") {
  const anodiff::index size = 700;
  tensor<float, 3> picture{{size, 300, 3}};
  tensor<float, 2> map{{size, 300}};
  map(401, 201) = 1;
  const auto made = make_report_picture("large", picture, {}, map, {.range = {0, 1}, .regions = {.threshold = 0.5}});
  REQUIRE(made.reconstruction.size() == 0);
  REQUIRE(formats::parse_png(made.input, "input").values.extents() == shape<3>{350, 150, 3});
  const auto overlay = formats::parse_png(made.overlay, "overlay");
  REQUIRE(overlay.height() == 350);
  const auto* pixel = overlay.values.data() + (200 * overlay.width() + 100) * 3;
  REQUIRE(pixel[0] == 255);  // the contour of one pixel
  REQUIRE(message_of<invalid_argument>([&] {
            (void)make_report_picture("x", picture, tensor<float, 3>{{1, 1, 3}}, map, {});
          }) == "make_report_picture: the reconstruction needs the picture's shape (700, 300, 3), got (1, 1, 3)");
}

TEST_CASE("a report that has no meaning is refused") {
  report from;
  from.pictures.push_back(scored("a", std::nan("")));
  REQUIRE(message_of<numeric_error>([&] { (void)text_of_report(from); }) ==
          "write_report: needs finite scores, got nan for a");
  from.pictures.clear();
  from.curves = {{"c", "x", "y", {}, 2}};
  REQUIRE(message_of<invalid_argument>([&] { (void)text_of_report(from); }) ==
          "write_report: x_limit must lie in (0, 1], got 2");
  REQUIRE_THAT(text_of_report({}), Contains("0 pictures, 0 alarms"));
}

TEST_CASE("a browser reads what was written", "[browser]") {
  const char* chromium = "/usr/bin/chromium";
  if (!std::filesystem::exists(chromium)) {
    std::cerr << "skipped: no " << chromium << '\n';
    return;
  }
  const scratch_folder folder;
  auto page = text_of_report(full_report());
  // The page itself runs no script; this copy may, to say what became of the pictures and the drawings.
  const std::string policy = "default-src 'none'; ";
  page.replace(page.find(policy), policy.size(), "");
  page += R"(<p id="seen"></p><script>
    const images = [...document.images];
    const lines = [...document.querySelectorAll('polyline')].map(line => Math.round(line.getBBox().width));
    document.getElementById('seen').textContent = ['images', images.length, 'decoded',
      images.filter(image => image.complete && image.naturalWidth >= 192).length, 'lines', ...lines].join(' ');
  </script>)";
  formats::write_file_atomically(folder / "report.html", formats::bytes_of(page));
  const auto command =
      concat("timeout 60 ", chromium, " --headless --no-sandbox --disable-gpu --user-data-dir=", folder / "profile",
             " --virtual-time-budget=5000 --dump-dom file://", folder / "report.html", " 2>/dev/null");
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), &::pclose};
  REQUIRE(pipe != nullptr);
  std::string seen;
  char piece[4096];
  while (const auto got = std::fread(piece, 1, sizeof piece, pipe.get())) seen.append(piece, got);
  for (const auto* part : {"images 120 decoded 120 lines 380 380", "<h1>Tiles &lt;i&gt;&amp;</h1>",
                           "<td class=\"number\">0.9877</td>", "40 pictures, 18 alarms, threshold 0.25"}) {
    CAPTURE(part);
    REQUIRE(seen.find(part) != std::string::npos);
  }
}

}  // namespace

}  // namespace report_test
#endif
