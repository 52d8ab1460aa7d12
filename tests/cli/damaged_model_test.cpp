// SPDX-License-Identifier: Apache-2.0
// A model file that was cut or edited: said in one sentence, and nothing is written.
#include <anodiff/version.hpp>

#include "program.hpp"

namespace cli {

namespace {

struct shelf {
  scratch_folder folder;
  std::string data = folder / "data.csv", model = folder / "m.anodiff", scores = folder / "s.npy";
  std::string whole;

  explicit shelf(const std::string& method) {
    auto rows = clusters(60, 0);
    rows.has_labels = rows.has_ids = false;
    formats::write_csv(data, rows);
    done(folder, tiny(method, {"--data", data, "--out", model, "--quiet"}));
    whole = content_of(model);
  }
  ended score(std::string_view bytes) {
    write_text(model, bytes);
    return run(folder, {"score", model, "--data", data, "--out", scores});
  }
  [[nodiscard]] std::string edited(std::string_view from, std::string_view to) const {
    REQUIRE(from.size() == to.size());  // the header keeps its length
    auto bytes = whole;
    const auto at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, from.size(), to);
  }
  /// The same with a NaN as the first element of a tensor.
  [[nodiscard]] std::string with_nan_in(std::string_view tensor) const {
    std::uint64_t length = 0;
    std::memcpy(&length, whole.data(), sizeof length);
    const auto header = formats::parse_json(std::string_view{whole}.substr(8, length), "header");
    const auto& entry = header.at(tensor);
    const auto first = 8 + length + entry.at("data_offsets").elements().front().unsigned_integer();
    auto bytes = whole;
    const auto put = [&](auto nan) { std::memcpy(bytes.data() + first, &nan, sizeof nan); };
    if (entry.at("dtype").string() == "F64")
      put(std::numeric_limits<double>::quiet_NaN());
    else
      put(std::numeric_limits<float>::quiet_NaN());
    return bytes;
  }
  void refuses(std::string_view bytes, const std::string& message, int code = 3) {
    const auto found = score(bytes);
    CHECK(found.code == code);
    CHECK(found.err == concat("anodiff: ", model, ": ", message, "\n"));
    CHECK(found.out.empty());
    CHECK_FALSE(exists(scores));
  }
};

}  // namespace

TEST_CASE("a model that was cut anywhere is refused", "[cli]") {
  shelf at{"dte_np"};
  const auto size = at.whole.size();
  for (std::size_t kept : {std::size_t{0}, std::size_t{4}, std::size_t{8}, std::size_t{100}, size / 2, size - 1}) {
    CAPTURE(kept);
    const auto found = at.score(at.whole.substr(0, kept));
    CHECK(found.code == 3);
    CHECK(found.err.starts_with(concat("anodiff: ", at.model, ": ")));
    CHECK(std::count(found.err.begin(), found.err.end(), '\n') == 1);
    CHECK_FALSE(exists(at.scores));
  }
  const auto longer = at.score(at.whole + "x");
  CHECK(longer.code == 3);
}

TEST_CASE("an edited model is refused, and what is wrong is named", "[cli]") {
  shelf at{"denoising_error"};
  at.refuses(at.edited("\"anodiff.format\":\"1\"", "\"anodiff.format\":\"7\""),
             concat("was written in format 7 by anodiff ", anodiff::version, "; this is anodiff ", anodiff::version,
                    ", which reads formats up to 6"));
  at.refuses(at.edited("\"anodiff.format\"", "\"anodiff.farmat\""),
             "is a safetensors file, but not a model of anodiff");
  at.refuses(at.edited("\"method\"", "\"mothod\""), "needs metadata \"method\", got none");
  const auto unknown = at.score(at.edited("\"method\":\"denoising_error\"", "\"method\":\"denoising_errod\""));
  CHECK(unknown.code == 3);
  CHECK(unknown.err.starts_with(concat("anodiff: ", at.model, ": no method is called 'denoising_errod'; there are ")));
  at.refuses(at.edited("\"policy.pooling\":\"mean\"", "\"policy.pooling\":\"bean\""),
             "holds a detector with policy.pooling 'bean' (method 'denoising_error'), but this one has 'mean'");
  at.refuses(at.edited("\"numbers.steps\":\"10\"", "\"numbers.steps\":\"-5\""),
             "detector: steps must be at least 1, got -5");
  at.refuses(at.edited("\"numbers.steps\":\"10\"", "\"numbers.steps\":\"1x\""), "steps: need a whole number, got '1x'");
  const auto wide = at.score(at.edited("\"numbers.model.width\":\"16\"", "\"numbers.model.width\":\"99\""));
  CHECK(wide.code == 3);
  CHECK(wide.err.find("'time.0.weight' needs shape (64, 99), got (64, 16)") != std::string::npos);
  at.refuses(at.edited("\"numbers.calibration.alpha\":\"0.05\"", "\"numbers.calibration.alpha\":\"0.01\""),
             "calibration::conformal: a false-alarm rate of 0.01 needs at least 99 calibration rows, got 20; no rate "
             "below 1/21 can be promised");
  at.refuses(at.edited("\"sample\":\"[4]\"", "\"sample\":\"[3]\""),
             "tensor \"preprocessing.offset\" must be float64 (3,), got float64 (4,)");
  at.refuses(at.edited("\"sample\":\"[4]\"", "\"sample\":\"[0]\""), "needs a sample of positive extents");
  at.refuses(at.edited("\"sample\":\"[4]\"", "\"sample\":\"[4}\""),
             "need ',' or ']' in an array, got \"}\" (line 1, column 3)");
  at.refuses(at.edited("\"preprocessing.scale\"", "\"preprocessing.skale\""),
             "needs a tensor \"preprocessing.scale\", got none");
  at.refuses(at.edited("{\"dtype\":\"F64\"", "{\"dtype\":\"F32\""),
             "tensor \"preprocessing.offset\" of F32 (4,) needs 16 bytes, got 32");
  at.refuses(at.edited("\"model.out.bias\":{\"dtype\":\"F32\"", "\"model.out.bias\":{\"dtype\":\"I32\""),
             "tensor \"model.out.bias\" must be float32 of 2 dimensions, got int32 (1, 4)");
  for (const std::string names : {R"(\"b\",\"b\",\"c\",\"d\")", R"(\"a\",\"b_____c\",\"d\")"}) {
    const auto found = at.score(at.edited(R"(\"a\",\"b\",\"c\",\"d\")", names));
    CHECK(found.code == 3);
    CHECK_FALSE(exists(at.scores));
  }
}

TEST_CASE("numbers of a model that are not finite are found", "[cli]") {
  shelf at{"denoising_error"};
  at.refuses(at.with_nan_in("preprocessing.scale"), "tensor 'preprocessing.scale' holds a value that is not finite");
  at.refuses(at.with_nan_in("calibration.scores"), "tensor 'calibration.scores' holds a value that is not finite");
  const auto found = at.score(at.with_nan_in("model.out.weight"));
  CHECK((found.code == 3 || found.code == 4));
  CHECK(found.err.find("finite") != std::string::npos);
  CHECK_FALSE(exists(at.scores));
}

TEST_CASE("info reads what it can of a model, and refuses what is none", "[cli]") {
  shelf at{"dte_np"};
  const auto other = at.folder / "other.anodiff";
  write_text(other, at.data);
  const auto found = run(at.folder, {"info", other});
  CHECK(found.code == 3);
  formats::write_safetensors(other, {});
  CHECK(run(at.folder, {"info", other}).err ==
        concat("anodiff: ", other, ": is a safetensors file, but not a model of anodiff\n"));
}

}  // namespace cli
