// SPDX-License-Identifier: Apache-2.0
// The whole job on a folder of pictures: fit, score with maps and a page, evaluate, info, calibrate, and bad use.
#include "small_pictures.hpp"

namespace cli {

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
  CHECK(facts.at("format").integer("info") == 6);
  CHECK(done(at.folder, {"info", at.model}).out.find("image_default") != std::string::npos);

  const auto calibrated = at.folder / "other.anodiff";
  done(at.folder, {"calibrate", at.model, "--data", at.set + "/good", "--alpha", "0.1", "--out", calibrated});
  CHECK(exists(calibrated));
}

TEST_CASE("a region of interest and a minimum area, from fit to explain", "[cli]") {
  const picture_set at;
  // bright where pixels count: all but the columns in which the holes are
  const auto interest = at.folder / "interest.png", everything = at.folder / "everything.png";
  formats::picture mask{anodiff::tensor<std::uint16_t, 3>{{36, 40, 1}}, 255};
  std::ranges::fill(mask.values.flat(), std::uint16_t{255});
  formats::write_png(everything, mask);
  for (index y = 0; y < 36; ++y) std::fill_n(mask.values.data() + y * 40 + 4, 28, std::uint16_t{0});
  formats::write_png(interest, mask);

  // without a focus the holes are found, and explained
  done(at.folder, at.fit_of(at.set));
  const auto maps = at.folder / "maps";
  const auto explained =
      done(at.folder, {"explain", at.model, "--data", at.set, "--top", "3", "--regions", "2", "--maps", maps, "--json"})
          .json();
  const auto& pictures = explained.at("pictures").elements("explain");
  REQUIRE(pictures.size() == 3);
  for (const auto& one : pictures) {
    CHECK(one.at("id").string("explain").find("/hole/") != std::string::npos);
    CHECK(one.at("is_anomaly").boolean("explain"));
    const auto& regions = one.at("regions").elements("explain");
    REQUIRE(!regions.empty());
    REQUIRE(regions.size() <= 2);
    const auto& box = regions[0].at("box").elements("explain");
    CHECK(box[0].integer("box") + box[2].integer("box") > 14);  // the hole spans columns 14 to 20, rows 20 to 26
    CHECK(box[0].integer("box") <= 20);
    CHECK(box[1].integer("box") + box[3].integer("box") > 20);
    CHECK(regions[0].at("pixels").integer("explain") > 4);
    CHECK(regions[0].at("share").number("explain") > 0.5);
    CHECK(regions[0].at("p_value").number("explain") < 0.06);
    const auto& scales = regions[0].at("scales").elements("explain");
    REQUIRE(scales.size() == 5);
    double shares = 0;
    for (const auto& scale : scales) shares += scale.at("share").number("explain");
    CHECK(shares == Approx(1));
    CHECK(scales[1].at("by").string("explain") == "network");
    CHECK(scales[2].at("by").string("explain") == "texture");
  }
  CHECK(exists(maps + "/hole_0.png") + exists(maps + "/hole_1.png") + exists(maps + "/hole_2.png") +
            exists(maps + "/hole_3.png") ==
        3);
  CHECK_FALSE(exists(maps + "/good_100.png"));
  const auto one_file = done(at.folder, {"explain", at.model, "--data", at.set + "/hole/0.png"});
  CHECK(one_file.out.find("x, y, width x height") != std::string::npos);
  CHECK(done(at.folder, {"explain", at.model, "--data", at.set + "/hole/0.png", "--threshold", "1e9"})
            .out.find("no region above 1e+09") != std::string::npos);

  // scored with a focus the same model lets them be, and says so
  const auto scored = done(at.folder, {"score", at.model, "--data", at.set + "/hole", "--out", at.scores, "--interest",
                                       interest, "--report", at.folder / "page.html", "--json"})
                          .json();
  CHECK(scored.at("alarms").integer("score") <= 1);
  CHECK(scored.at("regions_outside").integer("score") >= 3);
  CHECK(scored.at("pixels_outside").integer("score") >= 30);
  CHECK(content_of(at.folder / "page.html").find("outside of what is judged") != std::string::npos);
  const auto large = done(at.folder, {"score", at.model, "--data", at.set + "/hole", "--out", at.scores,
                                      "--minimum-area", "1000", "--json"})
                         .json();
  CHECK(large.at("alarms").integer("score") == 0);
  CHECK(large.at("regions_dropped").integer("score") >= 4);
  CHECK(large.at("pixels_dropped").integer("score") >= 40);

  // fitted and calibrated with it, the model remembers
  auto focused = at.fit_of(at.set);
  focused.insert(focused.end(), {"--interest", interest, "--minimum-area", "3"});
  done(at.folder, focused);
  const auto facts = done(at.folder, {"info", at.model, "--json"}).json();
  CHECK(facts.at("format").integer("info") == 6);
  CHECK(facts.at("numbers").at("picture.minimum_area").integer("info") == 3);
  CHECK(facts.at("interest").at("pixels").integer("info") == 36 * 12);
  const auto other = at.folder / "other.anodiff";
  done(at.folder, {"calibrate", at.model, "--data", at.set + "/good", "--alpha", "0.1", "--out", other, "--interest",
                   everything, "--minimum-area", "5"});
  CHECK(done(at.folder, {"info", other}).out.find("picture.minimum_area        5") != std::string::npos);
  const auto judged =
      done(at.folder, at.with_numbers({"evaluate", "image_default", "--data", at.set, "--seeds", "0", "--threads", "1",
                                       "--json", "--set", "calibration_share=0.5", "--interest", everything}))
          .json();
  CHECK(judged.at("pixel_auroc").at("mean").number("evaluate") > 0.8);
  CHECK(judged.at("regions_dropped").integer("evaluate") == 0);  // without a minimum area none is too small

  const auto refuses = [&](const words& arguments, int code, const std::string& part) {
    const auto found = run(at.folder, arguments);
    CAPTURE(found.err);
    CHECK(found.code == code);
    CHECK(found.err.find(part) != std::string::npos);
  };
  const auto dark = at.folder / "dark.png", small = at.folder / "small.png";
  formats::write_png(dark, {anodiff::tensor<std::uint16_t, 3>{{36, 40, 1}}, 255});
  formats::picture less{anodiff::tensor<std::uint16_t, 3>{{5, 40, 1}}, 255};
  std::ranges::fill(less.values.flat(), std::uint16_t{255});
  formats::write_png(small, less);
  const auto score_with = [&](const std::string& mask_file) {
    return words{"score", at.model, "--data", at.set, "--out", at.scores, "--interest", mask_file};
  };
  refuses(score_with(dark), 3, "dark.png: needs a pixel above half of its range, where pixels count, got none");
  refuses(score_with(small), 2, "the region of interest is 5 x 40, the detector has one of 36 x 40");
  refuses(score_with(at.folder / "none.png"), 5, "none.png");
  auto wrong = at.fit_of(at.set);
  wrong.insert(wrong.end(), {"--interest", small});
  refuses(wrong, 3, "100.png is 36 x 40, the region of interest is one of pictures of 5 x 40");
  write_text(at.folder / "rows.csv", "a,b\n1,2\n");
  refuses({"fit", "knn", "--data", at.folder / "rows.csv", "--out", at.model, "--minimum-area", "9"}, 2,
          "--interest and --minimum-area are for folders of pictures");
  refuses({"explain", at.model, "--data", at.folder / "rows.csv", "--maps", maps}, 2,
          "--maps and --threshold are for pictures");
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
  const auto one = at.set + "/good/100.png";
  for (const words& with :
       {words{"fit", "image_default", "--out", at.model + ".one"}, words{"evaluate", "image_default"}}) {
    auto arguments = with;
    arguments.insert(arguments.end(), {"--data", one});
    refuses(arguments, 2, "the method 'image_default' learns from a folder of pictures, got the file " + one + "\n");
  }
  refuses({"evaluate", "image_default", "--data", at.folder / "nothing"}, 3, "needs folders train/good and test");
  write_text(at.folder / "rows.csv", "a,b\n1,2\n");
  refuses({"score", at.model, "--data", at.folder / "rows.csv", "--out", at.scores}, 3, "holds a detector of pictures");
  refuses({"score", at.model, "--data", at.folder / "rows.csv", "--out", at.scores, "--maps", at.folder / "maps"}, 2,
          "--maps and --report are for folders of pictures");
}

}  // namespace cli
