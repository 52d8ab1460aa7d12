// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include "../../benchmarks/tiles/report.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <sstream>

namespace {

using anodiff::io::test_picture;

std::vector<test_picture> pictures() {
  std::vector<test_picture> out;
  for (const char* name : {"exp1_num_10", "exp2_num_12", "exp3_num_9", "exp1_num_20", "exp2_num_25", "exp1_num_100"})
    out.push_back({anodiff::concat("good/", name, ".jpg"), "good", 0, ""});
  for (const char* name : {"exp1_num_11", "exp2_num_13"})
    out.push_back({anodiff::concat("hole/", name, ".jpg"), "hole", 1, ""});
  out.push_back({"hole/7.png", "hole", 1, ""});
  return out;
}
tiles::result made(std::string method, std::uint64_t seed, double shift) {
  tiles::result out{.method = std::move(method), .seed = seed};
  out.steps = 7;
  out.value = {0.8 + shift, 0.9 + shift, std::numeric_limits<double>::quiet_NaN()};
  out.date = "2026-01-02 03:04";
  out.machine = "one, of two";
  out.commit = "abc";
  for (int b = 0; b < 99; ++b) {
    const double noise = 0.001 * static_cast<double>(b % 10);
    out.resampled.push_back({0.8 + shift + noise, 0.9 + shift + noise, std::numeric_limits<double>::quiet_NaN()});
  }
  return out;
}

}  // namespace

TEST_CASE("pictures of one part go together until its exposure comes again", "[tiles]") {
  const auto parts = tiles::parts_of(pictures());
  // by number: 9 (exposure 3), 10 (1), 12 (2) | 20 (1), 25 (2) | 100 (1)
  CHECK(parts[0] == parts[1]);
  CHECK(parts[0] == parts[2]);
  CHECK(parts[3] == parts[4]);
  CHECK(parts[6] == parts[7]);
  CHECK(std::set<std::size_t>{parts.begin(), parts.end()}.size() == 5);
}

TEST_CASE("a resample draws whole parts, as many of each label, the same for every method", "[tiles]") {
  const auto all = pictures();
  const auto parts = tiles::parts_of(all);
  std::set<std::vector<std::uint32_t>> drawn;
  for (std::uint32_t b = 0; b < 50; ++b) {
    const auto times = tiles::resample(parts, all, b);
    CHECK(times == tiles::resample(parts, all, b));
    drawn.insert(times);
    CHECK(times[0] == times[1]);
    CHECK(times[0] == times[2]);
    CHECK(times[0] + times[3] + times[5] == 3);
    CHECK(times[6] + times[8] == 2);
  }
  CHECK(drawn.size() > 10);
}

TEST_CASE("results are read as they were written, and compared pair by pair", "[tiles]") {
  const auto path = (std::filesystem::temp_directory_path() / anodiff::concat("anodiff-tiles-", std::rand())).string();
  const std::vector<tiles::result> written{made("ours", 0, 0.1), made("ours", 1, 0.08), made("theirs", 0, 0)};
  {
    std::ofstream file{path};
    file << tiles::header << '\n';
    for (const auto& r : written) file << tiles::line_of(r) << '\n';
  }
  const auto read = tiles::read_results(path);
  std::filesystem::remove(path);
  REQUIRE(read.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(tiles::line_of(read[i]) == tiles::line_of(written[i]));
  std::ostringstream text;
  tiles::report(text, read, "ours");
  CHECK(text.str().find("| ours | 7 | 2 | 89.00 | 1.41 |") != std::string::npos);
  // the noise of a resample is the same for both, so that the difference has none
  CHECK(text.str().find("| theirs | 9.00 | 9.0 … 9.0 | 9.00 | 9.0 … 9.0 |  |  |") != std::string::npos);
  CHECK(text.str().find("2026-01-02, one, of two, commit abc") != std::string::npos);
  CHECK(tiles::read_results(path).empty());
}

TEST_CASE("results that cannot be read are refused by line and field", "[tiles]") {
  const auto path = (std::filesystem::temp_directory_path() / anodiff::concat("anodiff-tiles-", std::rand())).string();
  const auto refused = [&](const std::string& line, const std::string& message) {
    std::ofstream{path} << tiles::header << '\n' << tiles::line_of(made("ours", 0, 0.1)) << '\n' << line << '\n';
    CHECK_THROWS_WITH(tiles::read_results(path), path + message);
    std::filesystem::remove(path);
  };
  refused("\"ours\",1,7", ", line 3 has 3 fields, not 14");
  refused("\"ours\",1,7,2,x,0,0,0,0,0,a,b,c,", ", line 3, field 5: 'x' is not a number");
  refused("\"ours\",1,7,2,,0,0,0,0,0,a,b,c,", ", line 3, field 5: '' is not a number");
  refused("\"ours\",1,7,2,3,0,0,0,0,0,a,b,c,0.5 z", ": the resamples of ours cannot be read");
}

TEST_CASE("the metrics of an evaluation are those of its scores and maps", "[tiles]") {
  anodiff::io::picture_evaluation found;
  found.pictures = pictures();
  for (std::size_t i = 0; i < found.pictures.size(); ++i) {
    const double score = found.pictures[i].label == 1 ? 2 : i == 0 ? 3 : 1;
    anodiff::picture_finding one{.score = score, .map = anodiff::tensor<float, 2>{{2, 2}}};
    anodiff::tensor<std::uint8_t, 2> mask;
    if (found.pictures[i].label == 1) {
      mask = anodiff::tensor<std::uint8_t, 2>{{2, 2}};
      mask(0, 1) = 1;
      one.map(0, 1) = 1;
    }
    found.found.push_back(std::move(one));
    found.masks.push_back(std::move(mask));
  }
  tiles::result r;
  tiles::measure(found, 40, r);
  CHECK(r.value[0] == Approx(5.0 / 6));
  CHECK(r.value[1] == 1);
  CHECK(r.value[2] == Approx(1));
  REQUIRE(r.resampled.size() == 40);
  for (const auto& one : r.resampled) CHECK(one[1] == 1);
}
#endif
