// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_ZLIB
#include "fixtures.hpp"

#include <anodiff/formats/zip_writer.hpp>
#include <random>

namespace zip_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

std::string zip_of(std::initializer_list<std::pair<std::string, std::string>> members, bool deflate) {
  buffer out;
  zip_writer zip{out};
  for (const auto& [name, content] : members) {
    const byte_span pieces[] = {bytes_of(content).first(content.size() / 2),
                                bytes_of(content).subspan(content.size() / 2)};
    zip.add(name, pieces, deflate);
  }
  zip.finish();
  return std::string{text_of(out.span())};
}
zip_archive open(std::string_view content, zip_limits limits = {}) { return {buffer_of(content), "a.zip", limits}; }
std::string refusal(std::string_view content, zip_limits limits = {}) {
  return message_of([&] {
    const auto archive = open(content, limits);
    for (const auto& member : archive.members()) (void)archive.read(member);
  });
}
/// A copy with other bytes at a place counted from the last occurrence of a signature.
std::string edited(std::string content, std::string_view signature, std::size_t place, std::string_view bytes) {
  return content.replace(content.rfind(signature) + place, bytes.size(), bytes);
}

constexpr std::string_view local = "PK\3\4", central = "PK\1\2", end = "PK\5\6";

TEST_CASE("members that were written are read, stored and deflated") {
  std::string noise(100'000, ' ');
  std::minstd_rand random{1};
  for (char& c : noise) c = static_cast<char>(random() >> 8);
  const std::string zeros(3'000'000, '\0');
  for (const bool deflate : {false, true}) {
    const auto archive = open(zip_of({{"a", "hello"}, {"b/c.npy", noise}, {"empty", ""}, {"zeros", zeros}}, deflate));
    REQUIRE(archive.members().size() == 4);
    REQUIRE(archive.members()[1].name == "b/c.npy");
    REQUIRE(text_of(archive.read(*archive.find("a")).span()) == "hello");
    REQUIRE(text_of(archive.read(*archive.find("b/c.npy")).span()) == noise);
    REQUIRE(archive.read(*archive.find("empty")).size() == 0);
    REQUIRE(text_of(archive.read(*archive.find("zeros")).span()) == zeros);
    REQUIRE(archive.find("d") == nullptr);
  }
  REQUIRE(zip_of({{"a", "hello"}}, true) == zip_of({{"a", "hello"}}, true));
}

TEST_CASE("an archive without members, and one with a comment, are read") {
  REQUIRE(open(zip_of({}, false)).members().empty());
  auto commented = zip_of({{"a", "x"}}, false);
  commented.replace(commented.size() - 2, 2, little(std::uint16_t{7})) += "comment";
  REQUIRE(open(commented).members().size() == 1);
}

TEST_CASE("zip64 records are read") {
  auto zip = zip_of({{"a", "hello"}}, false);
  const auto directory = zip.find(central), last = zip.find(end);
  auto entry = zip.substr(directory, last - directory);
  entry.replace(20, 8, std::string(8, '\xff'));             // both sizes
  entry.replace(42, 4, std::string(4, '\xff'));             // place of the local header
  entry.replace(30, 2, little(std::uint16_t{4 + 24 + 5}));  // extra fields: an unknown one, then zip64's
  entry.insert(47, concat(little(std::uint16_t{77}), little(std::uint16_t{1}), "x", little(std::uint16_t{1}),
                          little(std::uint16_t{24}), little(std::uint64_t{5}), little(std::uint64_t{5}),
                          little(std::uint64_t{0})));
  const auto records =
      concat("PK\6\6", little(std::uint64_t{44}), std::string(12, '\0'), little(std::uint64_t{1}),
             little(std::uint64_t{1}), little(std::uint64_t{entry.size()}), little(std::uint64_t{directory}), "PK\6\7",
             little(std::uint32_t{0}), little(std::uint64_t{directory + entry.size()}), little(std::uint32_t{1}));
  const auto tail = concat(end, std::string(4, '\0'), std::string(12, '\xff'), std::string(2, '\0'));
  const auto archive = open(zip.substr(0, directory) + entry + records + tail);
  REQUIRE(text_of(archive.read(archive.members().at(0)).span()) == "hello");
}

TEST_CASE("what is no zip archive is refused") {
  REQUIRE(refusal("") == "a.zip: not a zip archive, or cut short: it has no end record");
  REQUIRE(refusal(std::string(100'000, 'x')) == "a.zip: not a zip archive, or cut short: it has no end record");
  const auto whole = zip_of({{"a", "hello"}, {"b", "hello"}}, true);
  for (std::size_t size = 0; size < whole.size(); ++size) REQUIRE_THROWS_AS(open(whole.substr(0, size)), data_error);
}

TEST_CASE("a damaged directory is refused") {
  const auto zip = zip_of({{"a", "hello"}}, false);
  REQUIRE(refusal(edited(zip, end, 4, "\1")) == "a.zip: zip archives of several parts are not supported");
  REQUIRE(refusal(edited(zip, end, 8, "\2")) == "a.zip: zip archives of several parts are not supported");
  REQUIRE(refusal(edited(zip, end, 8, std::string_view{"\2\0\2\0", 4})) ==
          "a.zip: a zip directory of 47 bytes cannot hold 2 members");
  REQUIRE(refusal(edited(zip, end, 16, "\1")) ==
          "a.zip: the zip directory must end where the end record begins: 1 + 47 is not 83");
  REQUIRE(refusal(edited(zip, central, 0, "xx")) ==
          "a.zip: need an entry of the zip directory, got something else (at byte 40)");
  REQUIRE(refusal(edited(zip, end, 8, std::string_view{"\0\0\0\0", 4})) ==
          "a.zip: the zip directory holds more than its 0 members (at byte 36)");
  REQUIRE(refusal(edited(zip, central, 28, "\2")) ==
          "a.zip: cut short: an entry of the zip directory needs 2 bytes, got 1 (at byte 82)");
}

TEST_CASE("a member that states what cannot be is refused") {
  const auto stored = zip_of({{"a", "hello"}}, false), deflated = zip_of({{"a", "hello"}}, true);
  REQUIRE(refusal(edited(stored, central, 8, "\1")) ==
          "a.zip: member \"a\" is encrypted, which is not supported (at byte 83)");
  REQUIRE(refusal(edited(stored, central, 10, "\x0e")) ==
          "a.zip: member \"a\" is packed by method 14; stored and deflate are known (at byte 83)");
  REQUIRE(refusal(edited(stored, central, 20, "\4")) ==
          "a.zip: member \"a\" is stored, but its sizes differ: 4 and 5 (at byte 83)");
  REQUIRE(refusal(edited(stored, central, 42, "\xff")) == "a.zip: member \"a\" lies outside the file (at byte 83)");
  REQUIRE(refusal(edited(stored, central, 42, "\2")) == "a.zip: member \"a\" overlaps what follows it");
  REQUIRE(refusal(edited(deflated, central, 24, "\xff\xff\xff\x7f")) ==
          "a.zip: member \"a\" cannot hold the stated 2147483647 bytes in 7 (at byte 85)");
  REQUIRE(refusal(edited(stored, local, 0, "xx")) ==
          "a.zip: need the local header of a member, got something else (at byte 4)");
  REQUIRE(refusal(edited(stored, local, 30, "b")) == "a.zip: member \"a\" and its local header disagree (at byte 31)");
  REQUIRE(refusal(edited(stored, local, 28, "\1")) ==
          "a.zip: cut short: the content of a member needs 5 bytes, got 4 (at byte 32)");
}

TEST_CASE("content that does not unpack to its size and checksum is refused") {
  const auto stored = zip_of({{"a", "hello"}}, false), deflated = zip_of({{"a", std::string(100, 'h')}}, true);
  REQUIRE(refusal(edited(stored, local, 31, "j")) == "a.zip: member \"a\" is damaged: its checksum differs");
  REQUIRE(refusal(edited(stored, central, 16, "\1\2")) == "a.zip: member \"a\" is damaged: its checksum differs");
  REQUIRE(refusal(edited(deflated, central, 24, "\x65")) ==
          "a.zip: member \"a\" unpacks to 100 instead of the stated 101 bytes");
  REQUIRE(refusal(edited(deflated, central, 24, "\x63")) ==
          "a.zip: member \"a\" unpacks to more than the stated 99 bytes");
  REQUIRE(refusal(edited(deflated, local, 31, "\xff")) == "a.zip: member \"a\" has a damaged deflate stream");
  const auto packed = open(deflated).members()[0].packed;
  REQUIRE(refusal(edited(deflated, central, 20, little(static_cast<std::uint32_t>(packed - 1)))) ==
          "a.zip: member \"a\" is cut short: its deflate stream has no end");
}

TEST_CASE("limits of members and of unpacked bytes hold") {
  const auto zip = zip_of({{"a", std::string(600, 'x')}, {"b", std::string(600, 'x')}}, true);
  REQUIRE(open(zip, {.unpacked = 1200, .members = 2}).members().size() == 2);
  REQUIRE(refusal(zip, {.unpacked = 1199})
              .starts_with("a.zip: at most 1199 bytes can be unpacked, the archive states more"));
  REQUIRE(refusal(zip, {.members = 1}).starts_with("a.zip: at most 1 members can be read, got 2"));
}

TEST_CASE("two members of one name are refused") {
  auto zip = zip_of({{"a", "1"}, {"b", "2"}}, false);
  zip[zip.rfind("b")] = 'a';
  REQUIRE(refusal(zip).starts_with("a.zip: two members are named \"a\""));
}

TEST_CASE("names that could lead elsewhere are refused") {
  for (const auto* name : {"/a", "../", "a/..", "./a", "a//b", "a\\b", "c:a", "a\nb"}) {
    const std::string honest(std::string_view{name}.size(), 'q');
    auto zip = zip_of({{honest, "1"}}, false);
    for (auto at = zip.find(honest); at != std::string::npos; at = zip.find(honest))
      zip.replace(at, honest.size(), name);
    REQUIRE(refusal(zip).find("has a name that is no plain relative path") != std::string::npos);
  }
}

}  // namespace

}  // namespace zip_test
#endif
