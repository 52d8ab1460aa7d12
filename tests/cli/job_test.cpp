// SPDX-License-Identifier: Apache-2.0
// A whole job with the program: learn, look, score, explain, calibrate, evaluate, measure.
#include "program.hpp"

namespace cli {

namespace {

const words named{"--id", "id", "--label", "label"};

words with(words first, const words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

TEST_CASE("methods lists each method, and the numbers of one", "[cli]") {
  const scratch_folder folder;
  CHECK(done(folder, {"methods"}).out.find("dte_np") != std::string::npos);
  bool found = false;
  const auto methods = done(folder, {"methods", "--json"}).json();
  for (const auto& method : methods.elements())
    found = found || (method.at("name").string() == "ddpm_reconstruction" && !method.at("summary").string().empty());
  CHECK(found);
  CHECK(done(folder, {"methods", "dte_np"}).out.find("calibration.alpha           0.05\n") != std::string::npos);
  const auto numbers = done(folder, {"methods", "denoising_error", "--json"}).json();
  CHECK(numbers.at("numbers").at("model.width").integer() > 0);
}

TEST_CASE("a whole job, method by method", "[cli]") {
  const auto method = GENERATE(as<std::string>{}, "ddpm_reconstruction", "denoising_error", "dte_np");
  CAPTURE(method);
  const scratch_folder folder;
  const auto train = folder / "train.csv", test = folder / "test.csv", model = folder / "m.anodiff";
  formats::write_csv(train, clusters(200, 7));
  formats::write_csv(test, clusters(50, 10, 2));

  const auto fit = done(folder, with(tiny(method, {"--data", train, "--out", model, "--json"}), named));
  CHECK(fit.err == concat("anodiff: ", train, ": left out 7 rows with label 1 of 207\n"));
  CHECK(fit.json().at("rows").integer() == 200);
  CHECK(fit.json().at("left_out").integer() == 7);
  CHECK(fit.json().at("columns").integer() == 4);
  CHECK(fit.json().at("promised_rate").number() == 0.05);
  CHECK(fit.json().at("stopped_by").is_null());
  CHECK(fit.json().at("steps").integer() == (method == "dte_np" ? 0 : 50));

  const auto info = done(folder, {"info", model, "--json"}).json();
  CHECK(info.at("format").integer() == 1);
  CHECK(info.at("method").string() == method);
  CHECK(info.at("columns").dump() == R"(["a","b","c","d"])");
  CHECK(info.at("sample").dump() == "[4]");
  CHECK(info.at("fit").at("rows").integer() == 200);
  CHECK(info.at("calibration").at("rows").integer() == fit.json().at("calibration_rows").integer());
  CHECK(info.at("calibration").at("promised_rate").number() == 0.05);
  CHECK(info.at("holds_training_rows").boolean() == (method == "dte_np"));
  CHECK(info.at("numbers").at("training.steps").integer() == 50);
  const auto words_of_it = done(folder, {"info", model}).out;
  CHECK((words_of_it.find("it contains rows it was trained on") != std::string::npos) == (method == "dte_np"));
  CHECK((words_of_it.find("it contains no training rows") != std::string::npos) == (method != "dte_np"));

  const auto csv = folder / "s.csv", npy = folder / "s.npy";
  const auto scored = done(folder, with({"score", model, "--data", test, "--out", csv, "--json"}, named)).json();
  CHECK(scored.at("rows").integer() == 60);
  CHECK(scored.at("threshold").number() == fit.json().at("threshold").number());
  done(folder, with({"score", model, "--data", test, "--out", npy}, named));
  const auto in_csv = formats::read_csv(csv, {.id_column = "id"});
  const auto in_npy = formats::read_npy(npy).to_tensor<double, 1>();
  CHECK(formats::read_npy(npy).type() == formats::dtype::f64);
  CHECK(in_csv.columns == words{"score", "p_value", "is_anomaly"});
  CHECK(in_csv.ids.front() == "r1");
  REQUIRE(in_csv.rows() == 60);
  REQUIRE(in_npy.rows() == 60);
  double alarms = 0;
  for (index i = 0; i < 60; ++i) {
    CHECK(in_csv.values(i, 0) == in_npy.row(i)[0]);
    CHECK((in_csv.values(i, 0) > scored.at("threshold").number()) == (in_csv.values(i, 2) == 1));
    CHECK((in_csv.values(i, 1) <= 0.05) == (in_csv.values(i, 2) == 1));
    alarms += in_csv.values(i, 2);
  }
  CHECK(static_cast<double>(scored.at("alarms").integer()) == alarms);

  const auto top = done(folder, with({"explain", model, "--data", test, "--top", "3", "--json"}, named)).json();
  REQUIRE(top.at("rows").elements().size() == 3);
  double before = std::numeric_limits<double>::infinity();
  for (const auto& row : top.at("rows").elements()) {
    const double score = row.at("score").number();
    CHECK(score <= before);
    before = score;
    const auto place = std::stoll(row.at("id").string().substr(1)) - 1;
    CHECK(score == in_csv.values(place, 0));
    double shares = 0, strongest = std::numeric_limits<double>::infinity();
    for (const auto& feature : row.at("features").elements()) {
      shares += feature.at("share").number();
      CHECK(feature.at("evidence").number() <= strongest);
      strongest = feature.at("evidence").number();
      CHECK(feature.at("normal_sd").number() == Approx(3).margin(0.2));
    }
    CHECK(shares == Approx(1));
  }
  const auto text = done(folder, with({"explain", model, "--data", test, "--top", "1", "--features", "2"}, named)).out;
  CHECK(text.find(concat("id \"", top.at("rows").elements().front().at("id").string(), "\": score ")) == 0);
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);

  const auto second = folder / "m2.anodiff", fresh = folder / "fresh.csv";
  formats::write_csv(fresh, clusters(40, 3, 3));
  const auto calibrated =
      done(folder, with({"calibrate", model, "--data", fresh, "--alpha", "0.2", "--out", second, "--json"}, named));
  CHECK(calibrated.json().at("rows").integer() == 40);
  CHECK(calibrated.json().at("promised_rate").number() == 0.2);
  CHECK(calibrated.err == concat("anodiff: ", fresh, ": left out 3 rows with label 1 of 43\n"));
  const auto again = folder / "again.npy";
  done(folder, with({"score", second, "--data", test, "--out", again}, named));
  CHECK(content_of(again) == content_of(npy));

  const auto measured =
      done(folder, {"metrics", "--scores", csv, "--labels", test, "--label", "label", "--id", "id", "--json"}).json();
  CHECK(measured.at("n").integer() == 60);
  CHECK(measured.at("anomalies").integer() == 10);
  const double auroc = measured.at("auroc").at("value").number();
  if (method == "dte_np") CHECK(auroc == 1);
  CHECK(measured.at("auroc").at("lower").number() <= auroc);
  CHECK(measured.at("auroc").at("upper").number() >= auroc);
}

TEST_CASE("evaluate gives the agreed document under both protocols", "[cli]") {
  const scratch_folder folder;
  const auto set = folder / "set.csv";
  formats::write_csv(set, clusters(120, 20));
  const words common{"evaluate", "dte_np", "--data", set, "--id", "id", "--label", "label", "--seeds", "0,7"};
  const auto shuffled = done(folder, with(common, {"--json", "--alpha", "0.1"})).json();
  words keys;
  for (const auto& [key, value] : shuffled.members()) keys.push_back(key);
  CHECK(keys == words{"method", "params", "version", "data", "protocol", "seeds", "n_train", "n_test", "d", "cap",
                      "auroc", "ap", "f1", "f1_max", "fit_s", "score_s", "network_calls_per_row", "alarm_rate"});
  CHECK(shuffled.at("seeds").dump() == "[0,7]");
  CHECK(shuffled.at("n_train").integer() == 60);
  CHECK(shuffled.at("n_test").integer() == 80);
  CHECK(shuffled.at("d").integer() == 4);
  CHECK(shuffled.at("cap").integer() == 20000);
  CHECK(shuffled.at("auroc").at("mean").number() == 1);
  CHECK(shuffled.at("auroc").at("values").elements().size() == 2);
  CHECK(shuffled.at("alarm_rate").at("promised").number() == 0.1);
  CHECK(shuffled.at("alarm_rate").at("obtained").number() < 0.3);
  CHECK(shuffled.at("params").at("calibration.alpha").number() == 0.1);
  CHECK(shuffled.at("params").find("seed") == nullptr);

  const auto published = done(folder, with(common, {"--json", "--protocol", "published"})).json();
  CHECK(published.at("n_train").integer() + published.at("n_test").integer() == 1000);
  CHECK(published.at("cap").is_null());
  CHECK(published.at("alarm_rate").at("promised").is_null());
  CHECK(published.at("params").at("calibration_share").number() == 0);

  const auto capped = done(folder, with(common, {"--cap", "70"}));
  CHECK(capped.out.find("cap 70 rows of 140") != std::string::npos);
  CHECK(capped.out.find("train 30 rows, test 40, 4 columns; per cent over 2 seeds") != std::string::npos);
  CHECK(capped.out.find("AUROC    100.00   0.00   100.00 100.00") != std::string::npos);
  CHECK(capped.err.find("anodiff: seed 7: AUROC 100.00 %") != std::string::npos);
  CHECK(done(folder, with(common, {"--quiet", "--cap", "0"})).err.empty());
}

TEST_CASE("evaluate gives a missing value the mean of its column", "[cli]") {
  const scratch_folder folder;
  const auto set = folder / "set.csv";
  auto rows = clusters(60, 5);
  rows.values(3, 1) = std::numeric_limits<double>::quiet_NaN();
  formats::write_csv(set, rows);
  const auto found =
      done(folder, {"evaluate", "dte_np", "--data", set, "--id", "id", "--label", "label", "--seeds", "0"});
  CHECK(found.err.find("1 missing values are replaced by the mean") != std::string::npos);
}

TEST_CASE("metrics says what does not fit together", "[cli]") {
  const scratch_folder folder;
  const auto scores = folder / "s.csv", labels = folder / "y.csv", bare = folder / "s.npy";
  write_text(scores, "id,score,p_value,is_anomaly\nr1,0.5,,\nr2,0.7,,\nr3,0.1,,\n");
  formats::write_npy(bare, std::span<const double>{std::vector<double>{0.5, 0.7, 0.1}});
  const auto measure = [&](const std::string& with_scores, std::string_view text, const words& more = {}) {
    write_text(labels, text);
    words arguments{"metrics", "--scores", with_scores, "--labels", labels};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(folder, arguments);
  };
  CHECK(measure(bare, "y\n0\n1\n0\n").out.find("AUROC   100.00") != std::string::npos);
  CHECK(measure(scores, "name,label\nr1,0\nr2,1\nr3,0\n", {"--label", "label", "--id", "name"}).code == 0);
  const auto says = [](const ended& found, int code, const std::string& message) {
    CHECK(found.code == code);
    CHECK(found.err == concat("anodiff: ", message, "\n"));
    CHECK(found.out.empty());
  };
  says(measure(scores, "y\n0\n1\n"), 3, concat(scores, " has 3 scores, but ", labels, " has 2 labels"));
  says(measure(bare, "y\n0\n2\n0\n"), 3, concat(labels, ": row 2: need a label 0 or 1, got 2"));
  says(measure(bare, "y\n0\n0\n0\n"), 3, "metrics: needs both classes, got 0 anomalies and 3 normals");
  says(measure(bare, "p,q\n0,1\n0,1\n0,1\n"), 3,
       concat(labels, ": needs one column, or one named \"label\", got 2 others"));
  says(measure(bare, "p\n0\n1\n0\n", {"--label", "y"}), 3, concat(labels, ": needs a column \"y\", got none"));
  says(measure(scores, "name,label\nr1,0\nr3,1\nr2,0\n", {"--label", "label", "--id", "name"}), 3,
       concat(scores, ": row 2 has the id \"r2\", but ", labels, " has \"r3\""));
  says(measure(bare, "y\n0\n1\n0\n", {"--level", "1"}), 2, "auroc_interval: level must lie in (0, 1), got 1");
}

}  // namespace cli
