// SPDX-License-Identifier: Apache-2.0
// What a user can do wrong: each time one sentence, the agreed exit code, and no output file.
#include "program.hpp"

namespace cli {

namespace {

struct desk {
  scratch_folder folder;
  std::string data = folder / "data.csv", model = folder / "m.anodiff";

  desk() { write_text(model, "an old file"); }
  [[nodiscard]] bool is_untouched() const { return content_of(model) == "an old file"; }
  /// Fails with one sentence that begins so, and leaves the old file alone.
  ended refuses_like(const words& arguments, int code, const std::string& beginning) const {
    CAPTURE(arguments);
    auto found = run(folder, arguments);
    CHECK(found.code == code);
    CHECK(found.err.substr(0, 9 + beginning.size()) == concat("anodiff: ", beginning));
    CHECK(found.err.find('\n') == found.err.size() - 1);
    CHECK(found.out.empty());
    CHECK(is_untouched());
    return found;
  }
  void refuses(const words& arguments, int code, const std::string& message) const {
    CHECK(refuses_like(arguments, code, message).err == concat("anodiff: ", message, "\n"));
  }
  void refuses_table(std::string_view text, int code, const std::string& message,
                     const std::string& method = "dte_np") {
    write_text(data, text);
    refuses({"fit", method, "--data", data, "--out", model}, code, message);
  }
};

std::string lines(int count, const std::string& line) {
  std::string out;
  for (int i = 0; i < count; ++i) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("the command line itself", "[cli]") {
  desk at;
  const std::string commands = "methods, fit, score, explain, info, calibrate, evaluate, metrics";
  at.refuses({}, 2, "needs a command: " + commands);
  at.refuses({"fot"}, 2, "no command is called 'fot'; there are " + commands);
  at.refuses({"fot", "--data", "x"}, 2, "no command is called 'fot'; there are " + commands);
  at.refuses({"fit", "dte_np", "--data", "x.csv", "--outt", at.model}, 2, "--out is required; --help says more");
  at.refuses({"methods", "dte_np", "knn"}, 2, "The following argument was not expected: knn; --help says more");
  at.refuses({"fit", "--data", "x.csv", "--out", at.model}, 2, "METHOD is required; --help says more");
  at.refuses({"fit", "dte_np", "--data", "x.csv", "--out", at.model, "--threads", "-1"}, 2,
             "--threads: Value -1 not in range 0 to 4096; --help says more");
  at.refuses_like({"fit", "pca", "--data", "x.csv", "--out", at.model}, 2, "no method is called 'pca'; there are ");
  at.refuses({"fit", "dte_np", "--data", "x.csv", "--out", at.model, "--set", "steps"}, 2,
             "--set: need NAME=VALUE, got 'steps'");
  at.refuses({"fit", "dte_np", "--data", "x.csv", "--out", at.model, "--set", "steps=few"}, 2,
             "steps: need a whole number, got 'few'");
  at.refuses({"fit", "dte_np", "--data", "x.csv", "--out", at.model, "--alpha", "1.5"}, 2,
             "calibration::conformal: alpha must lie in (0, 1), got 1.5");
  at.refuses_like({"fit", "dte_np", "--data", "x.csv", "--out", at.model, "--set", "stepz=3"}, 2,
                  "no number is called 'stepz'; there are start.kind, ");
  CHECK(run(at.folder, {"--version"}).out.find("anodiff 0.") == 0);
  CHECK(run(at.folder, {"--help"}).out.find("evaluate") != std::string::npos);
  at.refuses({"score", at.model, "--data", "x.csv", "--out", at.folder / "s.txt"}, 2,
             concat("--out: need a .npy or .csv file, got ", at.folder / "s.txt"));
  at.refuses({"evaluate", "dte_np", "--data", "x.csv", "--protocol", "both"}, 2,
             "--protocol: need shuffled or published, got 'both'");
  at.refuses({"evaluate", "dte_np", "--data", "x.csv", "--protocol", "published", "--cap", "5"}, 2,
             "--cap belongs to the shuffled protocol; the published one has its own sizes");
}

TEST_CASE("files that are not there", "[cli]") {
  desk at;
  const auto absent = at.folder / "absent.csv", deep = at.folder / "no" + "/m.anodiff";
  at.refuses({"fit", "dte_np", "--data", absent, "--out", at.model}, 5,
             concat("cannot open ", absent, ": No such file or directory"));
  at.refuses({"score", absent, "--data", absent, "--out", at.folder / "s.npy"}, 5,
             concat("cannot open ", absent, ": No such file or directory"));
  at.refuses({"fit", "dte_np", "--data", absent, "--out", deep}, 5,
             concat("cannot write ", deep, ": No such file or directory"));
  at.refuses({"fit", "dte_np", "--data", "x.txt", "--out", at.model}, 2,
             "read_table: need a .csv, .npz or .npy file, got x.txt");
}

TEST_CASE("folders that are not there", "[cli]") {
  desk at;
  const auto absent = at.folder / "absent", message = concat("cannot open ", absent, ": No such file or directory");
  at.refuses({"fit", "image_default", "--data", absent, "--out", at.model}, 5, message);
  at.refuses({"score", at.model, "--data", absent, "--out", at.folder / "s.npy"}, 5, message);
  at.refuses({"explain", at.model, "--data", absent}, 5, message);
  at.refuses({"calibrate", at.model, "--data", absent, "--alpha", "0.1", "--out", at.model}, 5, message);
  at.refuses({"evaluate", "image_default", "--data", absent}, 5, message);
}

TEST_CASE("too few rows", "[cli]") {
  desk at;
  at.refuses_table("a,b\n", 3, concat(at.data, ": needs at least one row, got none"));
  at.refuses_table("", 3, concat(at.data, ": need a header line, got an empty file"));
  at.refuses_table("a,b\n1,2\n", 3, "detector::fit: needs at least 2 rows to learn from, got 1");
  at.refuses_table(concat("a,b\n", lines(10, "1,2")), 2,
                   "calibration::conformal: a false-alarm rate of 0.05 needs at least 19 calibration rows, got 10; no "
                   "rate below 1/11 can be promised");
  write_text(at.data, concat("a,y\n", lines(30, "1,1")));
  at.refuses({"fit", "dte_np", "--data", at.data, "--out", at.model, "--label", "y"}, 3,
             concat(at.data, ": needs rows with label 0 to learn from, got 30 rows with label 1"));
  at.refuses({"evaluate", "dte_np", "--data", at.data}, 2,
             concat(at.data, ": needs labels to evaluate with; name their column with --label"));
  at.refuses({"evaluate", "dte_np", "--data", at.data, "--label", "y"}, 3,
             "shuffled protocol: needs at least 4 normal rows and 1 anomaly, got 0 and 30");
}

TEST_CASE("values that are no finite numbers are named by row and column", "[cli]") {
  desk at;
  at.refuses_table("a,b\n1,2\n3,nan\n", 3,
                   concat(at.data,
                          ": row 2 (line 3), column \"b\": need a number, got \"nan\"; missing values are not "
                          "allowed here"));
  at.refuses_table("a,b\n1,2\n3,\n", 3,
                   concat(at.data,
                          ": row 2 (line 3), column \"b\": need a number, got an empty cell; missing values are "
                          "not allowed here"));
  at.refuses_table("a,b\ninf,2\n3,4\n", 3,
                   concat(at.data, ": row 1 (line 2), column \"a\": need a finite number, got \"inf\""));
  const auto array = at.folder / "x.npy";
  anodiff::tensor<float, 2> x{{3, 2}};
  x(2, 1) = std::numeric_limits<float>::quiet_NaN();
  formats::write_npy(array, x);
  at.refuses(
      {"fit", "dte_np", "--data", array, "--out", at.model}, 3,
      concat(array, ": row 3, column \"1\": need a finite number, got NaN; missing values are not allowed here"));
}

TEST_CASE("constant columns are learned like any other", "[cli]") {
  const auto method = GENERATE(as<std::string>{}, "ddpm_reconstruction", "denoising_error", "dte_np");
  desk at;
  write_text(at.data, concat("a,b\n", lines(60, "5,1")));
  done(at.folder, tiny(method, {"--data", at.data, "--out", at.model}));
  write_text(at.data, "a,b\n5,1\n5,9\n");
  const auto scores = at.folder / "s.npy";
  done(at.folder, {"score", at.model, "--data", at.data, "--out", scores});
  const auto found = formats::read_npy(scores).to_tensor<double, 1>();
  CHECK(found.row(1)[0] > found.row(0)[0]);
}

TEST_CASE("training that diverges is a numeric failure", "[cli]") {
  desk at;
  write_text(at.data, concat("a,b\n", lines(60, "5,1"), "7,1\n"));
  const auto found =
      run(at.folder, tiny("denoising_error", {"--data", at.data, "--out", at.model, "--set", "training.rate=1000",
                                              "--set", "training.clip=0", "--set", "model.layers=16"}));
  CHECK(found.code == 4);
  CHECK(found.err.find("anodiff: training: the loss ") == 0);
  CHECK(at.is_untouched());
}

TEST_CASE("a million columns", "[cli]") {
  desk at;
  const auto array = at.folder / "wide.npy";
  anodiff::tensor<float, 2> x{{4, 1'000'000}};
  for (index i = 0; i < x.rows(); ++i)
    for (index j = 0; j < 100; ++j) x(i, j) = static_cast<float>(i * j % 7);
  formats::write_npy(array, x);
  const auto found =
      at.refuses_like({"fit", "ddpm_reconstruction", "--data", array, "--out", at.model, "--alpha", "0.5"}, 5,
                      "detector::fit: needs about ");
  CHECK(found.err.find(" MB for 4 rows of 1000000 values, more than memory_limit (8000 MB)") != std::string::npos);
  done(at.folder, {"fit", "dte_np", "--data", array, "--out", at.model, "--alpha", "0.5"});
  const auto scores = at.folder / "s.npy";
  done(at.folder, {"score", at.model, "--data", array, "--out", scores});
  CHECK(formats::read_npy(scores).size() == 4);
}

}  // namespace cli
