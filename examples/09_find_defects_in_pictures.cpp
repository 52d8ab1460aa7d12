// SPDX-License-Identifier: Apache-2.0
// Pictures of woven cloth, of which the good ones alone are seen in training: where does another one not look like
// them? With a path as argument the heat map is written there as a PNG file.
#include <algorithm>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/image_default.hpp>
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/io/heat_map.hpp>
#endif
#include <cstdio>
#include <exception>

namespace ad = anodiff;

/// Cloth: two crossed sets of threads, each thread a little brighter or darker, and grain.
ad::tensor<float, 3> cloth(std::uint32_t number, ad::index height = 96, ad::index width = 128) {
  ad::tensor<float, 3> out{{height, width, 1}};
  const ad::noise_key key{.seed = 11, .draw = number};
  const auto thread = [&](ad::index at, std::uint64_t set) {
    const double own = ad::random_uniform(key, 1000 * set + static_cast<std::uint64_t>(at / 4));
    return std::sin(0.25 * 3.14159 * static_cast<double>(at % 4) + 0.8) * (0.8 + 0.4 * own);
  };
  for (ad::index i = 0; i < height; ++i)
    for (ad::index j = 0; j < width; ++j) {
      const bool over = (i / 4 + j / 4) % 2 == 0;
      const double grain = 0.02 * ad::random_normal(key, static_cast<std::uint64_t>(9000 + i * width + j));
      out.data()[i * width + j] = static_cast<float>(0.3 + 0.25 * (over ? thread(i, 1) : thread(j, 2)) + grain);
    }
  return out;
}
/// Damage: a stain, and two threads that have come loose.
ad::tensor<float, 3> damaged(ad::tensor<float, 3> picture) {
  for (ad::index i = 0; i < picture.extent(0); ++i)
    for (ad::index j = 0; j < picture.extent(1); ++j) {
      float& pixel = picture.data()[i * picture.extent(1) + j];
      const double y = static_cast<double>(i - 30), x = static_cast<double>(j - 36);
      if (y * y + 2 * x * x < 120) pixel *= 0.55F;
      if (i > 50 && i < 84 && std::abs(j - 96 + (i - 67) * (i - 67) / 60) < 2) pixel = 0.75F;
    }
  return picture;
}

int main(int count, char** arguments) {
  try {
    std::vector<ad::tensor<float, 3>> good;
    for (std::uint32_t i = 0; i < 60; ++i) good.push_back(cloth(i));

    // 1. A short training of a small network, at the pictures' own size and at a quarter of it.
    ad::methods::image_default<ad::cpu_engine>::options numbers;
    numbers.model.width = 8;
    numbers.model.levels = 2;
    numbers.picture.reduce = 1;
    numbers.picture.crop = 32;
    numbers.training.steps = 150;
    ad::methods::image_default<ad::cpu_engine> inspector{numbers};
    inspector.fit(good, {.progress = [](const ad::progress& p) {
                    if (p.done == p.total) std::printf("%s: %ld done\n", p.stage, static_cast<long>(p.done));
                  }});

    // 2. A score, a p-value and a verdict for the picture; a map of its own size, on the scale of the score.
    const auto picture = damaged(cloth(1000));
    const auto found = inspector.score(picture), fine = inspector.score(cloth(1001));
    std::printf("damaged cloth: score %.1f, p = %.3f; good cloth: score %.1f, p = %.3f; an alarm above %.1f\n",
                found.score, found.p_value, fine.score, fine.p_value, *inspector.threshold());
    const auto peak = std::max_element(found.map.data(), found.map.data() + found.map.size()) - found.map.data();
    const auto row = peak / 128, column = peak % 128;
    std::printf("the most unusual pixel is in row %ld, column %ld\n", static_cast<long>(row),
                static_cast<long>(column));

#ifdef ANODIFF_HAS_IMAGES
    // 3. The heat map: nothing is coloured that every calibration picture shows somewhere.
    ad::io::heat_map_options drawing;
    const double low = std::ranges::min(inspector.calibration_scores());
    drawing.range = {low, low + 4 * (*inspector.threshold() - low)};
    drawing.regions.threshold = *inspector.threshold();
    const auto regions = ad::io::find_regions(found.map, drawing.regions);
    for (const auto& region : regions.kept)
      std::printf("  %ld pixels, rows %ld to %ld, columns %ld to %ld\n", static_cast<long>(region.box.pixels),
                  static_cast<long>(region.box.top), static_cast<long>(region.box.bottom),
                  static_cast<long>(region.box.left), static_cast<long>(region.box.right));
    if (count > 1) ad::formats::write_png(arguments[1], ad::io::draw_heat_map(picture, found.map, regions, drawing));
#else
    (void)count, (void)arguments;
#endif
    const bool right =
        found.is_anomaly && found.score > fine.score && ((row > 18 && row < 42) || (row > 49 && row < 85));
    std::printf("%s\n", right ? "the damage was found" : "the damage was NOT found");
    return right ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
