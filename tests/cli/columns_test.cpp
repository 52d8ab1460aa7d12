// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/named_tensor.hpp>
#ifdef ANODIFF_HAS_ZLIB
#include <anodiff/formats/npz.hpp>
#include <filesystem>
#endif

#include "program.hpp"

namespace cli {

namespace {

/// The table with its columns in another order, or some left out.
formats::table picked(const formats::table& from, const std::vector<index>& columns) {
  formats::table out;
  out.values = anodiff::tensor<double, 2>{{from.rows(), static_cast<index>(columns.size())}};
  for (std::size_t j = 0; j < columns.size(); ++j) {
    out.columns.push_back(from.columns[static_cast<std::size_t>(columns[j])]);
    for (index i = 0; i < from.rows(); ++i) out.values(i, static_cast<index>(j)) = from.values(i, columns[j]);
  }
  return out;
}

struct fitted {
  scratch_folder folder;
  std::string model = folder / "m.anodiff", data = folder / "data.csv", scores = folder / "s.npy";
  formats::table rows = picked(clusters(60, 0), {0, 1, 2, 3});

  fitted() {
    formats::write_csv(data, rows);
    done(folder, {"fit", "dte_np", "--data", data, "--out", model, "--quiet"});
  }
  ended score(const std::string& path, const std::string& to) {
    return run(folder, {"score", model, "--data", path, "--out", to});
  }
  void refuses(const formats::table& table, const std::string& message) {
    const auto path = folder / "other.csv";
    formats::write_csv(path, table);
    const auto found = score(path, scores);
    CHECK(found.code == 3);
    CHECK(found.err == concat("anodiff: ", path, ": ", message, "\n"));
    CHECK(found.out.empty());
    CHECK_FALSE(exists(scores));
  }
};

}  // namespace

TEST_CASE("columns in another order are matched by name, and that is said", "[cli]") {
  fitted made;
  const auto path = made.folder / "other.csv", straight = made.folder / "straight.npy";
  formats::write_csv(path, picked(made.rows, {2, 0, 3, 1}));
  const auto found = made.score(path, made.scores);
  CHECK(found.code == 0);
  CHECK(found.err ==
        concat("anodiff: ", path, ": the columns stand in another order than at the fit; they are matched by name\n"));
  CHECK(made.score(made.data, straight).err.empty());
  CHECK(content_of(made.scores) == content_of(straight));
}

TEST_CASE("missing and unknown columns are named", "[cli]") {
  fitted made;
  made.refuses(picked(made.rows, {0, 2}), "lacks columns of the model: \"b\", \"d\"");
  auto extra = made.rows;
  extra.columns[1] = "label";
  made.refuses(extra, "lacks columns of the model: \"b\"; and has some that the model has not seen: \"label\"");
  auto labelled = picked(made.rows, {0, 1, 2, 3, 0});
  labelled.columns[4] = "label";
  made.refuses(labelled,
               "has columns that the model has not seen: \"label\"; name one that is no feature with --id or --label");
}

TEST_CASE("arrays are matched by the number of their columns", "[cli]") {
  fitted made;
  const auto straight = made.folder / "straight.npy", array = made.folder / "x.npy";
  made.score(made.data, straight);
  formats::write_npy(array, made.rows.values);
  CHECK(made.score(array, made.scores).code == 0);
  CHECK(content_of(made.scores) == content_of(straight));

  formats::write_npy(array, picked(made.rows, {0, 1, 2}).values);
  std::filesystem::remove(made.scores);
  const auto found = made.score(array, made.scores);
  CHECK(found.code == 3);
  CHECK(found.err == concat("anodiff: ", array, ": the model needs 4 columns, got 3\n"));
  CHECK_FALSE(exists(made.scores));
}

TEST_CASE("a model learned from an array takes a csv by the number of its columns", "[cli]") {
  fitted made;
  const auto array = made.folder / "x.npy", straight = made.folder / "straight.npy";
  made.score(made.data, straight);
  formats::write_npy(array, made.rows.values);
  done(made.folder, {"fit", "dte_np", "--data", array, "--out", made.model});
  CHECK(made.score(made.data, made.scores).code == 0);
  CHECK(content_of(made.scores) == content_of(straight));
  const auto top = done(made.folder, {"explain", made.model, "--data", made.data, "--top", "1"}).out;
  CHECK(top.find("row ") == 0);
  CHECK(top.find("  a ") != std::string::npos);
}

#ifdef ANODIFF_HAS_ZLIB
TEST_CASE("the labels of an npz choose the rows that a fit learns from", "[cli]") {
  const scratch_folder folder;
  const auto rows = clusters(50, 5);
  std::vector<std::uint8_t> labels(rows.labels.begin(), rows.labels.end());
  const auto path = folder / "set.npz", model = folder / "m.anodiff";
  formats::write_npz(
      path, {formats::named("X", rows.values.view()), formats::named("y", std::span<const std::uint8_t>{labels})});
  const auto found = done(folder, {"fit", "dte_np", "--data", path, "--out", model});
  CHECK(found.err == concat("anodiff: ", path, ": left out 5 rows with label 1 of 55\n"));
  CHECK(found.out.find("dte_np: 50 rows, 4 columns\n") == 0);
  CHECK(done(folder, {"evaluate", "dte_np", "--data", path, "--seeds", "1", "--json"}).json().at("n_train").integer() ==
        25);
}
#endif

}  // namespace cli
