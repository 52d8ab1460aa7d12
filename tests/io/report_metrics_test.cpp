// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/report_metrics.hpp>

#include "formats/fixtures.hpp"
#include "metrics/pixel_fixtures.hpp"

namespace report_metrics_test {

namespace {

using namespace anodiff;
using namespace anodiff::io;
using formats_fixtures::message_of;

TEST_CASE("a report takes metrics of pictures and of pixels, each with an interval around it") {
  report from;
  std::vector<tensor<float, 2>> maps;
  std::vector<tensor<std::uint8_t, 2>> masks;
  for (std::uint32_t p = 0; p < 12; ++p) {
    masks.push_back(metrics_fixtures::random_mask(p, 9, 8, p % 2 == 0 ? 0.1 : 0));
    maps.emplace_back(shape<2>{9, 8});
    for (anodiff::index i = 0; i < 72; ++i)
      maps[p].data()[i] = static_cast<float>(random_normal({2, p, 0, purpose::repeat}, static_cast<std::uint64_t>(i)) +
                                             1.5 * masks[p].data()[i]);
    from.pictures.emplace_back();
    from.pictures[p].label = p % 2 == 0 ? 1 : 0;
    from.pictures[p].score = static_cast<double>(*std::ranges::max_element(maps[p].flat()));
  }
  add_picture_metrics(from);
  std::vector<metrics::labelled_map> pairs;
  for (std::size_t p = 0; p < maps.size(); ++p) pairs.push_back({maps[p], masks[p]});
  const metrics::pixel_ranking pixels{pairs};
  add_pixel_metrics(from, pixels, 99);
  std::vector<std::string> names;
  for (const auto& [name, value, interval, note] : from.metrics) {
    names.push_back(name);
    CAPTURE(name);
    if (name == "picture F1") continue;
    REQUIRE(interval.has_value());
    REQUIRE((interval->lower <= value && value <= interval->upper));
  }
  REQUIRE(names == std::vector<std::string>{"picture AUROC", "picture AP", "picture F1", "pixel AUROC", "pixel AP",
                                            "AUPRO at 0.3", "AUPRO at 0.05", "IoU-max", "Dice-max"});
  REQUIRE(from.metrics[5].value == metrics::aupro(pixels));
  REQUIRE(from.curves.size() == 2);
  REQUIRE(from.curves[1].points == metrics::pro_curve(pixels));
  formats::buffer page;
  write_report(page, from);
  REQUIRE(formats::text_of(page.span()).find("AUPRO at 0.05") != std::string_view::npos);
}

TEST_CASE("metrics of pictures need all labels") {
  report from;
  from.pictures.emplace_back();
  from.pictures[0].name = "a.png";
  REQUIRE(message_of([&] { add_picture_metrics(from); }) ==
          "add_picture_metrics: needs a label of each picture, got none for a.png");
  from.pictures[0].label = 1;
  REQUIRE(message_of([&] { add_picture_metrics(from); }) ==
          "add_picture_metrics: needs both classes, got 1 anomalies and 0 normals");
}

}  // namespace

}  // namespace report_metrics_test
