// SPDX-License-Identifier: Apache-2.0
// The whole job on a folder of pictures: fit, score with maps and a page, evaluate, info, calibrate, and bad use.
#include <anodiff/formats/png_writer.hpp>
#include <anodiff/formats/resize.hpp>

#include "program.hpp"

namespace cli {

namespace {

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

}  // namespace

TEST_CASE("the job on a folder of pictures", "[cli]") {
  const picture_set at;
  const auto fitted = done(at.folder, at.fit_of(at.set)).json();
  CHECK(fitted.at("pictures").integer("fit") == 60);
  CHECK(fitted.at("calibration_pictures").integer("fit") == 20);
  CHECK(fitted.at("steps").integer("fit") == 60);

  const auto maps = at.folder / "maps", page = at.folder / "page.html";
  const auto scored = done(at.folder, {"score", at.model, "--data", at.set, "--out", at.scores, "--maps", maps,
                                       "--report", page, "--minimum-area", "4", "--json"})
                          .json();
  CHECK(scored.at("pictures").integer("score") == 64);
  const auto table = content_of(at.scores);
  CHECK(table.starts_with("id,score,p_value,is_anomaly\n"));
  CHECK(table.find("/good/100.png,") < table.find("/hole/0.png,"));  // sorted by path
  CHECK(table.find("/ground_truth/") == std::string::npos);
  for (const char* file : {"hole_0.npy", "hole_0.png", "hole_0.tif", "hole_0.json", "good_100.png"})
    CHECK(exists(maps + "/" + file));
  CHECK(content_of(page).find("hole_0") != std::string::npos);

  const auto report = at.folder / "evaluation.html";
  const auto found =
      done(at.folder, at.with_numbers({"evaluate", "image_default", "--data", at.set, "--seeds", "0,1", "--threads",
                                       "1", "--report", report, "--json", "--set", "calibration_share=0.5"}))
          .json();
  CHECK(found.at("n_train").integer("evaluate") == 42);
  CHECK(found.at("n_test").integer("evaluate") == 20);
  CHECK(found.at("image_auroc").at("mean").number("evaluate") > 0.8);
  CHECK(found.at("pixel_auroc").at("mean").number("evaluate") > 0.8);
  CHECK(found.at("aupro_30").at("values").elements("evaluate").size() == 2);
  CHECK(content_of(report).find("PRO of pixels") != std::string::npos);

  const auto facts = done(at.folder, {"info", at.model, "--json"}).json();
  CHECK(facts.at("method").string("info") == "image_default");
  CHECK(facts.at("format").integer("info") == 4);
  CHECK(done(at.folder, {"info", at.model}).out.find("image_default") != std::string::npos);

  const auto calibrated = at.folder / "other.anodiff";
  done(at.folder, {"calibrate", at.model, "--data", at.set + "/good", "--alpha", "0.1", "--out", calibrated});
  CHECK(exists(calibrated));
}

TEST_CASE("bad use of pictures", "[cli]") {
  const picture_set at;
  const auto refuses = [&](const words& arguments, int code, const std::string& part) {
    const auto found = run(at.folder, arguments);
    CAPTURE(found.err);
    CHECK(found.code == code);
    CHECK(found.err.find(part) != std::string::npos);
  };
  write_text(at.set + "/good/999.png", "");
  refuses(at.fit_of(at.set), 3, "999.png");
  CHECK_FALSE(exists(at.model));
  auto forgiving = at.fit_of(at.set);
  forgiving.push_back("--skip-bad");
  const auto fitted = done(at.folder, forgiving);
  CHECK(fitted.err.find("left out: " + at.set + "/good/999.png") != std::string::npos);
  CHECK(fitted.json().at("pictures").integer("fit") == 60);

  std::filesystem::create_directories(at.folder / "nothing");
  refuses(at.fit_of(at.folder / "nothing"), 3, "needs at least one picture, got an empty folder");
  refuses({"fit", "knn", "--data", at.set, "--out", at.model}, 2, "no method for pictures is called 'knn'; there are ");
  refuses({"evaluate", "image_default", "--data", at.folder / "nothing"}, 3, "needs folders train/good and test");
  write_text(at.folder / "rows.csv", "a,b\n1,2\n");
  refuses({"score", at.model, "--data", at.folder / "rows.csv", "--out", at.scores}, 3, "holds a detector of pictures");
  refuses({"score", at.model, "--data", at.folder / "rows.csv", "--out", at.scores, "--maps", at.folder / "maps"}, 2,
          "--maps and --report are for folders of pictures");
}

}  // namespace cli
