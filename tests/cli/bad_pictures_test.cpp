// SPDX-License-Identifier: Apache-2.0
// Files that pretend to be pictures, and pictures that few expect: a clear error or the right answer, never a crash.
#include "small_pictures.hpp"

namespace cli {

namespace {

std::string fuzz_corpus(const char* name) { return content_of(concat(ANODIFF_TESTS_DIR, "/fuzz/corpus/", name)); }

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}
/// A chunk of a PNG file with its checksum (CRC-32 of ISO 3309, bit by bit).
std::string chunk(const std::string& kind, const std::string& content) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : kind + content) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int k = 0; k < 8; ++k) crc = (crc & 1) != 0 ? 0xedb88320 ^ (crc >> 1) : crc >> 1;
  }
  return big_endian(static_cast<std::uint32_t>(content.size())) + kind + content + big_endian(~crc);
}
/// What begins a PNG file of that size, 8 bits of grey.
std::string head_of(std::uint32_t width, std::uint32_t height) {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big_endian(width) + big_endian(height) + std::string{"\x08\x00\x00\x00\x00", 5});
}

}  // namespace

TEST_CASE("files that are no picture, or an unusual one, end in a clear error or in the right answer", "[cli]") {
  const picture_set at;
  done(at.folder, at.fit_of(at.set));
  const auto odd = at.folder / "odd";
  std::filesystem::create_directories(odd);
  const auto whole = content_of(at.set + "/good/100.png");

  struct expected {
    const char* name;
    std::string content;
    int code;  ///< of `score`; 0: it has a score
    const char* part;
  };
  const std::vector<expected> files{
      {"zero.png", "", 3, "zero.png"},
      {"zero.jpg", "", 3, "zero.jpg"},
      {"text.png", "no picture at all", 3, "text.png"},
      {"cut.png", whole.substr(0, whole.size() / 2), 3, "cut.png"},
      {"cut.jpg", fuzz_corpus("jpeg/grey.jpg").substr(0, 60), 3, "cut.jpg"},
      {"head.png", whole.substr(0, 8), 3, "head.png"},
      {"huge.png", head_of(20'000, 20'000) + chunk("IEND", ""), 3, "huge.png"},
      {"lying.png", head_of(0xffffffff, 0xffffffff) + chunk("IEND", ""), 3, "lying.png"},
      {"cmyk.jpg", fuzz_corpus("jpeg/cmyk.jpg"), 3, "convert it to RGB or grey"},
      {"colour.jpg", fuzz_corpus("jpeg/rgb.jpg"), 3, "has 3 channels, the model has learned from 1"},
      {"palette.png", fuzz_corpus("png/palette.png"), 3, "has 3 channels, the model has learned from 1"},
      {"animated.png", fuzz_corpus("png/animated.png"), 3, "has 3 channels, the model has learned from 1"},
      {"renamed.jpg", whole, 0, ""},
      {"renamed.png", fuzz_corpus("jpeg/grey.jpg"), 0, ""},
      {"none.xyz", whole, 0, ""},
      {"grey16.png", fuzz_corpus("png/grey16.png"), 0, ""},
      {"one_bit.png", fuzz_corpus("png/one_bit.png"), 0, ""},
      {"dot.png", "", 0, ""},
  };
  for (const auto& [name, content, code, part] : files) {
    CAPTURE(name);
    std::filesystem::remove_all(odd);
    std::filesystem::create_directories(odd);
    const auto path = odd + "/" + name;
    write_text(path, content);
    if (std::string_view{name} == "dot.png")
      formats::write_png(path, {anodiff::tensor<std::uint16_t, 3>{{1, 1, 1}}, 255});
    const auto found = run(at.folder, {"score", at.model, "--data", odd, "--out", at.scores, "--json", "--maps",
                                       at.folder / "maps", "--report", at.folder / "page.html"});
    CAPTURE(found.err);
    CHECK(found.signal == 0);
    CHECK(found.code == code);
    CHECK(found.err.find(part) != std::string::npos);
    if (code == 0) {
      CHECK(found.json().at("pictures").integer("score") == 1);
      CHECK(content_of(at.scores).find(name) != std::string::npos);
    }
    const auto explained = run(at.folder, {"explain", at.model, "--data", odd, "--json"});
    CHECK(explained.code == code);
    // what cannot be read can be left out; what can be read, but not judged, cannot
    if (code != 0 && std::string_view{part} == name) {
      const auto forgiven = run(at.folder, {"score", at.model, "--data", odd, "--out", at.scores, "--skip-bad"});
      CHECK(forgiven.code == 3);
      CHECK(forgiven.err.find("none of 1 files can be read as a picture") != std::string::npos);
    }
  }
}

TEST_CASE("one bad file among a thousand is named, and skipped only if asked", "[cli]") {
  const picture_set at;
  done(at.folder, at.fit_of(at.set));
  const auto many = at.folder / "many";
  std::filesystem::create_directories(many);
  for (int i = 0; i < 1000; ++i)
    formats::write_png(concat(many, "/", 1000 + i, ".png"), {anodiff::tensor<std::uint16_t, 3>{{2, 2, 1}}, 255});
  write_text(many + "/1500.png", content_of(many + "/1500.png").substr(0, 30));
  const words score{"score", at.model, "--data", many, "--out", at.scores, "--json"};
  const auto refused = run(at.folder, score);
  CHECK(refused.code == 3);
  CHECK(refused.err.find("1500.png") != std::string::npos);
  CHECK_FALSE(exists(at.scores));
  auto forgiving = score;
  forgiving.push_back("--skip-bad");
  const auto found = done(at.folder, forgiving);
  CHECK(found.err.find("left out: " + many + "/1500.png") != std::string::npos);
  CHECK(found.json().at("pictures").integer("score") == 999);
}

}  // namespace cli
