// SPDX-License-Identifier: Apache-2.0
// Tables with columns of text, and with gaps.
#include "program.hpp"

namespace cli {

namespace {

/// size,colour,weight: red above 0, else blue or green.
std::string mixed_table(index rows, std::uint64_t seed, const std::string& last = {}) {
  std::string out = "size,colour,weight\n";
  const anodiff::noise_key key{.seed = seed};
  for (index i = 0; i < rows; ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    const double size = anodiff::random_normal(key, 2 * at);
    out += concat(size, ",",
                  size > 0     ? "red"
                  : i % 2 == 0 ? "blue"
                               : "green",
                  ",", 3 * size + 0.3 * anodiff::random_normal(key, 2 * at + 1), "\n");
  }
  return out + last;
}

struct shop {
  scratch_folder folder;
  std::string data = folder / "data.csv", fresh = folder / "new.csv", model = folder / "m.anodiff",
              scores = folder / "s.csv";

  explicit shop(const std::string& method = "knn") {
    write_text(data, mixed_table(300, 1));
    const auto found = done(folder, {"fit", method, "--data", data, "--out", model});
    CHECK(found.err.find(concat("anodiff: ", data,
                                ": 2 numeric columns, 1 categorical: \"colour\" (\"blue\", \"green\", \"red\"); 0 "
                                "missing values\n")) == 0);
    CHECK(found.out.find(concat(method, ": 300 rows, 3 columns\n")) == 0);
  }
};

}  // namespace

TEST_CASE("a table with a column of text is learned, and what is odd in it is found", "[cli][mixed]") {
  const shop at{"rows_default"};
  write_text(at.fresh, mixed_table(50, 2, "0.5,violet,1.5\n0.5,,1.5\n,red,1.5\n0.5,blue,1.5\n0.5,violet,1.5\n"));
  const auto found = done(at.folder, {"score", at.model, "--data", at.fresh, "--out", at.scores});
  CHECK(found.err == concat("anodiff: ", at.fresh,
                            ": column \"colour\": \"violet\" was not seen at the fit (2 rows); it counts as another "
                            "category\n"));
  const auto scores = formats::read_csv(at.scores, {.id_column = "row"});
  for (index i = 50; i < 55; ++i) {
    INFO("row " << i + 1);
    CHECK(scores.values(i, 2) == 1);
  }
  const auto odd = done(at.folder, {"explain", at.model, "--data", at.fresh, "--top", "5", "--features", "1"}).out;
  CHECK(odd.find("other   normal mostly red\n") != std::string::npos);
  CHECK(odd.find("missing   normal ") != std::string::npos);
  const auto json = done(at.folder, {"explain", at.model, "--data", at.fresh, "--top", "5", "--json"}).json();
  CHECK(json.at("rows").elements().size() == 5);
}

TEST_CASE("names become the codes that were learned, whatever the file holds and in what order", "[cli][mixed]") {
  const shop at;
  const auto one = at.folder / "one.npy", other = at.folder / "other.npy";
  write_text(at.fresh, "size,colour,weight\n1,red,3\n");
  done(at.folder, {"score", at.model, "--data", at.fresh, "--out", one});
  write_text(at.fresh, "colour,weight,size\nred,3,1\n");
  const auto found = done(at.folder, {"score", at.model, "--data", at.fresh, "--out", other});
  CHECK(found.err.find("they are matched by name") != std::string::npos);
  CHECK(content_of(one) == content_of(other));

  write_text(at.fresh, "size,colour,weight\nbig,red,3\n");
  const auto refused = run(at.folder, {"score", at.model, "--data", at.fresh, "--out", one});
  CHECK(refused.code == 3);
  CHECK(refused.err ==
        concat("anodiff: ", at.fresh, ": row 1 (line 2), column \"size\": need a number, got \"big\"\n"));
  const auto calibrated = at.folder / "c.anodiff";
  write_text(at.fresh, mixed_table(100, 3));
  done(at.folder, {"calibrate", at.model, "--data", at.fresh, "--alpha", "0.1", "--out", calibrated});
  CHECK(done(at.folder, {"info", calibrated, "--json"}).json().at("format").integer() == 2);
}

TEST_CASE("gaps alone are taken where that is asked for, and a method for numbers says so", "[cli][mixed]") {
  const scratch_folder folder;
  const auto data = folder / "data.csv", model = folder / "m.anodiff", scores = folder / "s.csv";
  std::string text = "a,b\n";
  for (int i = 0; i < 60; ++i) text += i % 5 == 0 ? concat(i % 7, ",\n") : concat(i % 7, ",", i % 3, "\n");
  write_text(data, text);
  CHECK(run(folder, {"fit", "knn", "--data", data, "--out", model}).code == 3);
  CHECK(
      done(folder, {"fit", "knn", "--data", data, "--out", model, "--mixed", "--set", "preprocessing.numeric=quantile"})
          .err == concat("anodiff: ", data, ": 2 numeric columns, 0 categorical; 12 missing values\n"));
  done(folder, {"score", model, "--data", data, "--out", scores});
  const auto refused = run(folder, {"fit", "local_gaussian", "--data", data, "--out", model, "--mixed"});
  CHECK(refused.code == 2);
  CHECK(refused.err.find("the method 'local_gaussian' takes numbers alone; rows with categories or gaps are for ") !=
        std::string::npos);
}

}  // namespace cli
