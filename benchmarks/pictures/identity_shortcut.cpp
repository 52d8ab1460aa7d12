// SPDX-License-Identifier: Apache-2.0
// How much of a drawn defect two methods copy at growing noise levels, after equal training on a folder of normal
// pictures: anodiff_identity_shortcut FOLDER [STEPS = 1000] [REDUCE = 2] [THREADS = all]. Prints a table in Markdown.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/picture_folder.hpp>
#include <anodiff/methods/ddpm_image.hpp>
#include <anodiff/methods/mddpm.hpp>
#include <anodiff/pipeline/identity_shortcut.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

template <class Detector>
anodiff::identity_shortcut_report measured(std::span<const anodiff::tensor<float, 3>> pictures, anodiff::index steps,
                                           anodiff::index reduce, int threads) {
  const auto start = std::chrono::steady_clock::now();
  typename Detector::options numbers;
  numbers.training.steps = steps;
  numbers.picture.reduce = reduce;
  numbers.calibration_share = 0;
  Detector detector{numbers, anodiff::cpu_engine{threads}};
  const auto held_out = pictures.size() / 5;  // the last fifth is drawn on, and is not learned from
  detector.fit(pictures.first(pictures.size() - held_out));
  const auto report = anodiff::identity_shortcut(detector, anodiff::pictures_in_memory{pictures.last(held_out)});
  std::fprintf(stderr, "%s: %.0f s, loss %.4f\n", std::string{Detector::parts_type::preset_type::name}.c_str(),
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), detector.record().loss);
  return report;
}

}  // namespace

int main(int count, char** words) try {
  anodiff::check(count >= 2 && count <= 5, "anodiff_identity_shortcut: needs FOLDER [STEPS] [REDUCE] [THREADS]");
  const auto number = [&](int place, int fallback) { return count > place ? std::atoi(words[place]) : fallback; };
  const int steps = number(2, 1000), reduce = number(3, 2), threads = number(4, 0);
  std::vector<anodiff::tensor<float, 3>> pictures;
  for (const auto& read : anodiff::io::read_picture_folder(words[1]).pictures)
    pictures.push_back(anodiff::formats::to_unit(read));
  const auto plain = measured<anodiff::methods::ddpm_image<anodiff::cpu_engine>>(pictures, steps, reduce, threads);
  const auto masked = measured<anodiff::methods::mddpm<anodiff::cpu_engine>>(pictures, steps, reduce, threads);
  std::printf(
      "| depth | sigma | ddpm_image: copied | contrast | mddpm: copied | contrast |\n|---|---|---|---|---|---|\n");
  for (std::size_t k = 0; k < plain.rows.size(); ++k)
    std::printf("| %.1f | %.3f | %.2f | %.1f | %.2f | %.1f |\n", plain.rows[k].depth, plain.rows[k].level.sigma,
                plain.rows[k].copied, plain.rows[k].contrast(), masked.rows[k].copied, masked.rows[k].contrast());
  std::printf("\nrecommended depth: ddpm_image %.1f, mddpm %.1f\n", plain.recommended_depth, masked.recommended_depth);
  return 0;
} catch (const std::exception& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
