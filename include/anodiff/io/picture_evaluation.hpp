// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/progress.hpp>
#include <anodiff/io/picture_folder.hpp>
#include <anodiff/io/picture_layout.hpp>
#include <anodiff/metrics/aupro.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/metrics/pixel_metrics.hpp>
#include <anodiff/pipeline/picture_detection.hpp>
#include <chrono>

namespace anodiff::io {

/// Pictures of files, read when they are asked for.
class picture_files final : public picture_list {
 public:
  explicit picture_files(std::vector<std::string> paths, formats::picture_limits limits = {})
      : paths_{std::move(paths)}, limits_{limits} {}
  [[nodiscard]] index count() const override { return static_cast<index>(paths_.size()); }
  [[nodiscard]] tensor<float, 3> load(index i) const override {
    return formats::to_unit(formats::read_picture(paths_[static_cast<std::size_t>(i)], limits_));
  }
  [[nodiscard]] std::string name(index i) const override { return paths_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<std::string> paths_;
  formats::picture_limits limits_;
};

/// What a detector said of the test pictures of a layout, with the truth.
struct picture_evaluation {
  std::vector<test_picture> pictures;
  std::vector<picture_finding> found;          ///< of each picture
  std::vector<tensor<std::uint8_t, 2>> masks;  ///< of each picture; empty where it has none
  double seconds = 0;                          ///< of scoring alone, a picture
  tensor<std::uint8_t, 2> interest{};  ///< (h, w) of each picture, 0 where pixels are not judged; empty: all are

  [[nodiscard]] std::vector<double> scores() const {
    std::vector<double> out;
    for (const auto& f : found) out.push_back(f.score);
    return out;
  }
  [[nodiscard]] std::vector<int> labels() const {
    std::vector<int> out;
    for (const auto& p : pictures) out.push_back(p.label);
    return out;
  }
  /// Normal pictures, and anomalous ones that have a mask. Throws as metrics::pixel_ranking.
  [[nodiscard]] metrics::pixel_ranking pixels() const {
    std::vector<metrics::labelled_map> maps;
    for (std::size_t i = 0; i < pictures.size(); ++i)
      if (pictures[i].label == 0)
        maps.push_back({found[i].map, {}, interest});
      else if (masks[i].size() > 0)
        maps.push_back({found[i].map, masks[i], interest});
    return metrics::pixel_ranking{maps, "picture_evaluation"};
  }
};

/// Scores the test pictures of a layout, one after another: score(picture (h, w, c), name) gives a picture_finding.
/// Throws as read_pictures, and stopped where the callback asks for it.
template <class Score>
[[nodiscard]] picture_evaluation evaluate_pictures(const picture_layout& layout, Score&& score,
                                                   const progress_callback& report = {}) {
  picture_evaluation out;
  for (const auto& picture : layout.test) {
    const auto values = formats::to_unit(formats::read_picture(picture.path));
    const auto start = std::chrono::steady_clock::now();
    out.found.push_back(score(const_view(values), std::string_view{picture.path}));
    out.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.pictures.push_back(picture);
    out.masks.push_back(picture.mask.empty() ? tensor<std::uint8_t, 2>{}
                                             : read_mask(picture.mask, values.extent(0), values.extent(1)));
    const auto done = static_cast<index>(out.found.size()), total = static_cast<index>(layout.test.size());
    check<stopped>(report({.stage = "score", .done = done, .total = total, .seconds = out.seconds}),
                   "evaluate_pictures: stopped by the progress callback with ", total - done, " pictures left");
  }
  if (!out.found.empty()) out.seconds /= static_cast<double>(out.found.size());
  return out;
}

}  // namespace anodiff::io
