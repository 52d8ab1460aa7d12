// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/picture_layout.hpp>
#include <anodiff/metrics/pixel_metrics.hpp>
#include <functional>
#include <ostream>

#include "baselines.hpp"

namespace tiles {

/// A dark spot: side pixels across, with a sharp edge or, of the same width at half its depth, a Gaussian.
struct spot {
  index side = 3;
  bool soft = false;
};

/// A picture with a spot at a place, which takes `depth` of the brightness there, and the pixels that count as it.
inline std::pair<picture, anodiff::tensor<std::uint8_t, 2>> planted(const picture& clean, const spot& what, double row,
                                                                    double column, double depth) {
  std::pair out{clean, anodiff::tensor<std::uint8_t, 2>{{clean.extent(0), clean.extent(1)}}};
  const auto side = static_cast<double>(what.side);
  for (index i = 0; i < clean.extent(0); ++i)
    for (index j = 0; j < clean.extent(1); ++j) {
      const double away = std::hypot(static_cast<double>(i) - row, static_cast<double>(j) - column);
      const double share = what.soft ? std::exp(-4 * std::log(2.0) * (away / side) * (away / side))
                                     : std::clamp(side / 2 + 0.5 - away, 0.0, 1.0);
      out.first.data()[i * clean.extent(1) + j] *= static_cast<float>(1 - depth * share);
      out.second(i, j) = away <= side / 2 ? 1 : 0;
    }
  return out;
}

/// How well a method finds spots of each size in the normal test pictures that are large enough for them.
class planted_table {
 public:
  using scorer = std::function<anodiff::picture_finding(const picture&)>;
  planted_table(const anodiff::io::picture_layout& layout, std::vector<index> sides, double depth)
      : sides_{std::move(sides)}, depth_{depth} {
    for (const auto& test : layout.test)
      if (test.label == 0) clean_.push_back(anodiff::formats::to_unit(anodiff::formats::read_picture(test.path)));
  }

  static void header(std::ostream& to) {
    to << "| method | edge | pixels across | pictures | image AUROC | pixel AUROC | peak within | alarms |\n"
       << "|---|---|---|---|---|---|---|---|\n";
  }
  void rows(std::ostream& to, const std::string& method, const scorer& score) const {
    std::vector<double> clean_scores;
    for (const auto& one : clean_) clean_scores.push_back(score(one).score);
    for (const bool soft : {false, true})
      for (const index side : sides_) {
        std::vector<double> scores;
        std::vector<int> labels;
        std::vector<map> maps;
        std::vector<anodiff::tensor<std::uint8_t, 2>> masks;
        double hits = 0, alarms = 0;
        for (std::size_t p = 0; p < clean_.size(); ++p) {
          const auto& one = clean_[p];
          if (std::min(one.extent(0), one.extent(1)) < side + 8) continue;
          const anodiff::noise_key key{
              .seed = 0, .draw = static_cast<std::uint32_t>(p), .use = anodiff::purpose::repeat};
          const auto place = [&](std::uint64_t k, index extent) {  // the spot lies within, four pixels from the border
            const double margin = static_cast<double>(side) / 2 + 4;
            return margin + anodiff::random_uniform(key, k) * (static_cast<double>(extent) - 2 * margin);
          };
          auto [shown, mask] = planted(one, {side, soft}, place(0, one.extent(0)), place(1, one.extent(1)), depth_);
          auto found = score(shown);
          scores.insert(scores.end(), {clean_scores[p], found.score});
          labels.insert(labels.end(), {0, 1});
          alarms += found.is_anomaly ? 1 : 0;
          if (found.map.size() == 0) continue;
          const auto peak = std::ranges::max_element(found.map.flat()) - found.map.flat().begin();
          hits += mask.data()[peak] != 0 ? 1 : 0;
          maps.push_back(std::move(found.map));
          masks.push_back(std::move(mask));
        }
        if (labels.empty()) continue;
        const auto n = static_cast<double>(labels.size()) / 2;
        to << "| " << method << " | " << (soft ? "soft" : "sharp") << " | " << side << " | " << labels.size() / 2
           << " | " << per_cent(anodiff::metrics::auroc(anodiff::metrics::ranking{scores, labels}));
        if (maps.empty()) {
          to << " | | |";
        } else {
          std::vector<anodiff::metrics::labelled_map> views;
          for (std::size_t k = 0; k < maps.size(); ++k) views.push_back({maps[k], masks[k]});
          to << " | " << per_cent(anodiff::metrics::pixel_auroc(anodiff::metrics::pixel_ranking{views})) << " | "
             << per_cent(hits / n) << " | ";
          if (alarms > 0) to << per_cent(alarms / n);
        }
        to << " |" << std::endl;
      }
  }

 private:
  static std::string per_cent(double share) {
    char text[32];
    return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.1f", 100 * share))};
  }
  std::vector<index> sides_;
  double depth_;
  std::vector<picture> clean_;
};

}  // namespace tiles
