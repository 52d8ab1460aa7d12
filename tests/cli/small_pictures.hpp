// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/png_writer.hpp>

#include "program.hpp"

namespace cli {

/// A folder `set` with normal pictures in good, damaged ones in hole, and their masks in ground_truth/hole.
struct picture_set {
  scratch_folder folder;
  std::string set = folder / "set", model = folder / "m.anodiff", scores = folder / "scores.csv";

  picture_set() {
    for (const char* inner : {"set/good", "set/hole", "set/ground_truth/hole"})
      std::filesystem::create_directories(folder / inner);
    for (std::uint32_t i = 0; i < 60; ++i) formats::write_png(concat(set, "/good/", 100 + i, ".png"), textured(i));
    for (std::uint32_t i = 0; i < 4; ++i) {
      auto picture = textured(500 + i);
      formats::picture mask{anodiff::tensor<std::uint16_t, 3>{picture.values.extents()}, 255};
      for (index y = 20; y < 27; ++y)
        for (index x = 14; x < 21; ++x) {
          picture.values.data()[y * picture.width() + x] = 60;
          mask.values.data()[y * picture.width() + x] = 255;
        }
      formats::write_png(concat(set, "/hole/", i, ".png"), picture);
      formats::write_png(concat(set, "/ground_truth/hole/", i, ".png"), mask);
    }
  }
  static formats::picture textured(std::uint32_t number) {
    formats::picture out{anodiff::tensor<std::uint16_t, 3>{{36, 40, 1}}, 255};
    for (index e = 0; e < out.values.size(); ++e) {
      const anodiff::noise_key key{.seed = 4, .draw = number};
      const double wave = 20 * std::sin(0.8 * static_cast<double>(e % 40) + 6 * anodiff::random_uniform(key, 0));
      out.values.data()[e] =
          static_cast<std::uint16_t>(128 + wave + 4 * anodiff::random_normal(key, static_cast<std::uint64_t>(8 + e)));
    }
    return out;
  }
  [[nodiscard]] words with_numbers(words arguments) const {
    for (const char* pair :
         {"training.steps=60", "training.batch=8", "model.width=4", "model.levels=2", "model.time_features=8",
          "model.time_width=8", "picture.reduce=1", "picture.ratio=2", "picture.crop=16", "corruption.largest=5"}) {
      arguments.push_back("--set");
      arguments.push_back(pair);
    }
    return arguments;
  }
  [[nodiscard]] words fit_of(const std::string& data) const {
    return with_numbers({"fit", "image_default", "--data", data, "--out", model, "--threads", "1", "--json"});
  }
};

}  // namespace cli
