// SPDX-License-Identifier: Apache-2.0
#include <anodiff/metrics/aupro.hpp>
#include <anodiff/metrics/pixel_metrics.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "pixel_fixtures.hpp"

namespace pixel_metrics_test {

namespace {

using namespace anodiff;
using namespace anodiff::metrics;
using Catch::Message;

struct example {
  tensor<float, 2> map;
  tensor<std::uint8_t, 2> mask;
};
std::vector<labelled_map> views(const std::vector<example>& all) {
  std::vector<labelled_map> out;
  for (const auto& [map, mask] : all) out.push_back({map, mask});
  return out;
}
pixel_ranking rank(const std::vector<example>& all) { return pixel_ranking{views(all)}; }
example of(std::initializer_list<std::string_view> mask, std::initializer_list<float> scores) {
  example out{{}, metrics_fixtures::mask_of(mask)};
  out.map = tensor<float, 2>{out.mask.extents()};
  std::ranges::copy(scores, out.map.data());
  return out;
}
/// Pictures of several sizes with few distinct scores, some of them without an anomaly, some without a mask.
std::vector<example> random_examples(std::uint32_t draw) {
  std::vector<example> out;
  for (std::uint32_t p = 0; p < 5; ++p) {
    const anodiff::index height = 3 + p, width = 9 - p;
    example one{tensor<float, 2>{{height, width}}, metrics_fixtures::random_mask(10 * draw + p, height, width, 0.2)};
    if (p == 3) std::ranges::fill(one.mask.flat(), std::uint8_t{0});
    for (anodiff::index i = 0; i < one.map.size(); ++i) {
      const auto word = random_word({5, 10 * draw + p, 0, purpose::repeat}, static_cast<std::uint64_t>(i));
      one.map.data()[i] = static_cast<float>(static_cast<int>(word % 23) + 5 * one.mask.data()[i]) / 4 - 2;
    }
    if (p == 4) one.mask = {};
    out.push_back(std::move(one));
  }
  return out;
}

/// Over every distinct score as a threshold, all counted anew.
struct brute_force {
  std::vector<curve_point> pro{{0, 0}}, roc{{0, 0}};
  double iou = 0, dice = 0, precision = 0;

  explicit brute_force(const std::vector<example>& all) {
    std::set<float, std::greater<>> thresholds;
    for (const auto& one : all) thresholds.insert(one.map.flat().begin(), one.map.flat().end());
    for (const float threshold : thresholds) {
      double overlaps = 0, regions = 0, hit = 0, positives = 0, false_alarms = 0, negatives = 0;
      for (const auto& [map, mask] : all) {
        std::map<int, std::pair<double, double>> hits;  // of each region: found, all
        const auto numbers = mask.size() > 0 ? metrics_fixtures::flood_fill(mask) : std::vector<int>{};
        for (anodiff::index i = 0; i < map.size(); ++i) {
          const int number = numbers.empty() ? 0 : numbers[static_cast<std::size_t>(i)];
          const bool alarm = map.data()[i] >= threshold;
          if (number == 0) {
            negatives += 1;
            false_alarms += alarm;
          } else {
            positives += 1;
            hit += alarm;
            hits[number].first += alarm;
            hits[number].second += 1;
          }
        }
        for (const auto& [number, counts] : hits) {
          overlaps += counts.first / counts.second;
          regions += 1;
        }
      }
      precision += (hit / positives - roc.back().y) * hit / (hit + false_alarms);
      pro.push_back({false_alarms / negatives, overlaps / regions});
      roc.push_back({false_alarms / negatives, hit / positives});
      iou = std::max(iou, hit / (positives + false_alarms));
      dice = std::max(dice, 2 * hit / (positives + hit + false_alarms));
    }
  }
  /// Area under straight lines up to the limit, over the limit.
  static double area(const std::vector<curve_point>& curve, double limit) {
    double sum = 0;
    for (std::size_t i = 1; i < curve.size(); ++i) {
      const auto a = curve[i - 1];
      auto b = curve[i];
      if (a.x >= limit || a.x == b.x) continue;
      if (b.x > limit) b = {limit, a.y + (b.y - a.y) * (limit - a.x) / (b.x - a.x)};
      sum += (b.x - a.x) * (a.y + b.y) / 2;
    }
    return sum / limit;
  }
};

TEST_CASE("pixel metrics by hand") {
  // Two regions: {0.9, 0.3} and {0.8}; normal pixels 0.85, 0.5, 0.2, 0.1.
  const auto pixels = rank({of({"##..#.."}, {0.9f, 0.3f, 0.85f, 0.5f, 0.8f, 0.2f, 0.1f})});
  // 0.9: (0, 1/4); 0.85: (1/4, 1/4); 0.8: (1/4, 3/4); 0.5: (1/2, 3/4); 0.3: (1/2, 1); then to (1, 1)
  const std::vector<curve_point> curve{{0, 0}, {0, 0.25}, {0.25, 0.25}, {0.25, 0.75}, {0.5, 0.75}, {0.5, 1}, {1, 1}};
  REQUIRE(pro_curve(pixels) == curve);
  REQUIRE(aupro(pixels, 1) == Approx(0.25 * 0.25 + 0.25 * 0.75 + 0.5).epsilon(1e-14));
  REQUIRE(aupro(pixels) == Approx((0.25 * 0.25 + 0.05 * 0.75) / 0.3).epsilon(1e-14));
  REQUIRE(aupro(pixels, 0.05) == Approx(0.25).epsilon(1e-14));
  REQUIRE(pixel_auroc(pixels) == Approx((4.0 + 3 + 2) / 12).epsilon(1e-14));
  REQUIRE(pixel_average_precision(pixels) == Approx((1 + 2.0 / 3 + 3.0 / 5) / 3).epsilon(1e-14));
  const auto best = pixel_overlap(pixels);
  REQUIRE(best.iou == 0.6);  // 3 of 3 + 2 normal ones
  REQUIRE(best.dice == 0.75);
  REQUIRE(best.threshold < static_cast<double>(0.3f));
  REQUIRE(static_cast<float>(best.threshold) == 0.3f);  // just below it
}

TEST_CASE("equal scores are one threshold") {
  const auto pixels = rank({of({"#..."}, {1, 1, 1, 1})});
  REQUIRE(pro_curve(pixels) == std::vector<curve_point>{{0, 0}, {1, 1}});
  REQUIRE(aupro(pixels) == Approx(0.15).epsilon(1e-14));
  REQUIRE(pixel_auroc(pixels) == 0.5);
  REQUIRE(rank({of({"#.."}, {-0.0f, 0.0f, -1})}).pooled().groups().size() == 2);
}

TEST_CASE("a perfect map has 1 everywhere, its negative 0") {
  const auto good = rank({of({"##.", "..."}, {5, 4, 1, 2, 1, -3}), of({"..."}, {0, 0, 1})});
  REQUIRE(aupro(good) == Approx(1).epsilon(1e-14));
  REQUIRE(pixel_auroc(good) == 1);
  REQUIRE(pixel_average_precision(good) == 1);
  REQUIRE(pixel_overlap(good).iou == 1);
  REQUIRE(pixel_overlap(good).dice == 1);
  const auto bad = rank({of({"##.", "..."}, {-5, -4, -1, -2, -1, 3})});
  REQUIRE(aupro(bad) == 0);
  REQUIRE(pixel_auroc(bad) == 0);
}

TEST_CASE("random maps agree with all thresholds counted anew") {
  for (std::uint32_t draw = 0; draw < 40; ++draw) {
    CAPTURE(draw);
    const auto all = random_examples(draw);
    const brute_force expected{all};
    const auto pixels = rank(all);
    for (const double limit : {0.05, 0.3, 0.37, 1.0}) {
      CAPTURE(limit);
      REQUIRE(aupro(pixels, limit) == Approx(brute_force::area(expected.pro, limit)).epsilon(1e-12));
      REQUIRE(brute_force::area(pro_curve(pixels), limit) == Approx(aupro(pixels, limit)).epsilon(1e-12));
    }
    REQUIRE(pixel_auroc(pixels) == Approx(brute_force::area(expected.roc, 1)).epsilon(1e-12));
    REQUIRE(brute_force::area(roc_curve(pixels.pooled()), 1) == Approx(pixel_auroc(pixels)).epsilon(1e-12));
    REQUIRE(pixel_average_precision(pixels) == Approx(expected.precision).epsilon(1e-12));
    const auto best = pixel_overlap(pixels);
    REQUIRE(best.iou == Approx(expected.iou).epsilon(1e-14));
    REQUIRE(best.dice == Approx(expected.dice).epsilon(1e-14));
    double hit = 0, either = 0;  // at the threshold that is given
    for (const auto& [map, mask] : all)
      for (anodiff::index i = 0; i < map.size(); ++i) {
        const bool anomalous = mask.size() > 0 && mask.data()[i] != 0;
        const bool alarm = static_cast<double>(map.data()[i]) > best.threshold;
        hit += anomalous && alarm;
        either += anomalous || alarm;
      }
    REQUIRE(hit / either == best.iou);
  }
}

TEST_CASE("a resample is the same as the pictures so often over") {
  const auto all = random_examples(7);
  const auto drawn = rank(all).resampled({2, 0, 1, 1, 3});
  const auto again = rank({all[0], all[0], all[2], all[3], all[4], all[4], all[4]});
  REQUIRE(aupro(drawn) == Approx(aupro(again)).epsilon(1e-13));
  REQUIRE(pixel_auroc(drawn) == pixel_auroc(again));
  REQUIRE(pixel_average_precision(drawn) == Approx(pixel_average_precision(again)).epsilon(1e-13));
  REQUIRE(pixel_overlap(drawn).iou == pixel_overlap(again).iou);
}

TEST_CASE("the order of the pictures does not matter") {
  auto all = random_examples(9);
  const auto before = rank(all);
  std::ranges::reverse(all);
  const auto after = rank(all);
  REQUIRE(pixel_auroc(before) == pixel_auroc(after));
  REQUIRE(pixel_overlap(before).threshold == pixel_overlap(after).threshold);
  REQUIRE(aupro(before) == Approx(aupro(after)).epsilon(1e-13));
}

TEST_CASE("the interval over pictures contains the estimate, is reproducible, and shrinks to a point for copies") {
  std::vector<example> all;
  for (std::uint32_t draw = 0; draw < 6; ++draw)
    for (auto& one : random_examples(draw)) all.push_back(std::move(one));
  const auto pixels = rank(all);
  const auto area = [](const pixel_ranking& p) { return aupro(p); };
  const auto first = picture_interval(pixels, area), again = picture_interval(pixels, area);
  REQUIRE((first.lower == again.lower && first.upper == again.upper));
  REQUIRE((first.lower < aupro(pixels) && aupro(pixels) < first.upper));
  const auto other = picture_interval(pixels, area, {.resamples = 200, .seed = 1});
  REQUIRE(other.lower != first.lower);

  const auto one = random_examples(3)[0];
  const auto copies = rank({one, one, one, one});  // none is normal
  const auto point = picture_interval(copies, area);
  REQUIRE(point.lower == Approx(aupro(copies)).epsilon(1e-12));
  REQUIRE(point.upper == Approx(aupro(copies)).epsilon(1e-12));
}

TEST_CASE("pixels outside the region of interest are as if they were not there") {
  const auto whole = of({"##..#.."}, {0.9f, 0.3f, 0.85f, 0.5f, 0.8f, 0.2f, 0.1f});
  const tensor<std::uint8_t, 2> interest = metrics_fixtures::mask_of({"#.###.#"});
  const pixel_ranking cut{std::vector<labelled_map>{{whole.map, whole.mask, interest}}};
  const auto kept = rank({of({"#..#."}, {0.9f, 0.85f, 0.5f, 0.8f, 0.1f})});
  REQUIRE(pro_curve(cut) == pro_curve(kept));
  REQUIRE(pixel_auroc(cut) == pixel_auroc(kept));
  REQUIRE(pixel_overlap(cut).iou == pixel_overlap(kept).iou);
  const tensor<std::uint8_t, 2> other{{1, 3}};
  const std::vector<labelled_map> wrong{{whole.map, whole.mask, other}};
  REQUIRE_THROWS_MATCHES(pixel_ranking{wrong}, invalid_argument,
                         Message("pixel_ranking: needs a region of interest of the size of its map, got (1, 3) and "
                                 "(1, 7) for picture 1"));
}

TEST_CASE("what has no meaning is refused") {
  const auto good = of({"#."}, {1, 0});
  REQUIRE_THROWS_MATCHES(rank({}), invalid_argument, Message("pixel_ranking: needs at least one picture, got none"));
  REQUIRE_THROWS_MATCHES(rank({good, {good.map, tensor<std::uint8_t, 2>{{2, 1}}}}), invalid_argument,
                         Message("pixel_ranking: needs a mask of the size of its map, got (2, 1) and (1, 2) for "
                                 "picture 2"));
  REQUIRE_THROWS_MATCHES(rank({of({"#.", ".."}, {1, 0, 2, std::nanf("")})}), numeric_error,
                         Message("pixel_ranking: needs finite scores, got nan in picture 1, row 2, column 2"));
  REQUIRE_THROWS_MATCHES(aupro(rank({good}), 0), invalid_argument, Message("aupro: limit must lie in (0, 1], got 0"));
  REQUIRE_THROWS_MATCHES(aupro(rank({of({".."}, {1, 0})})), data_error,
                         Message("aupro: needs at least one anomalous region, got none"));
  REQUIRE_THROWS_MATCHES(aupro(rank({of({"##"}, {1, 0})})), data_error,
                         Message("aupro: needs at least one normal pixel, got none"));
  REQUIRE_THROWS_MATCHES(pixel_auroc(rank({of({"##"}, {1, 0})})), data_error,
                         Message("ranking: needs both classes, got 2 anomalies and 0 normals"));
  REQUIRE_THROWS_MATCHES(rank({good}).resampled({1, 2}), invalid_argument,
                         Message("pixel_ranking: needs one count for each of 1 pictures, got 2"));
  REQUIRE_THROWS_MATCHES(picture_interval(rank({of({".."}, {1, 0})}), [](const pixel_ranking&) { return 0.0; }),
                         data_error, Message("picture_interval: needs at least one anomalous picture, got none"));
}

}  // namespace

}  // namespace pixel_metrics_test
