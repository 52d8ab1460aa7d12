// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/file.hpp>
#include <filesystem>

namespace file_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

TEST_CASE("a file that was written reads back, small and large, from pieces of all sizes") {
  const scratch_folder folder;
  std::string expected;
  write_file_atomically(folder / "f", [&](file_sink& sink) {
    for (std::size_t size : {0u, 1u, 1000u, 65'535u, 65'536u, 3u, 200'000u, 64'000u, 64'000u}) {
      const std::string piece(size, static_cast<char>('a' + size % 26));
      sink.write(piece);
      expected += piece;
    }
  });
  REQUIRE(content_of(folder / "f") == expected);
  REQUIRE(folder.list() == std::vector<std::string>{"f"});
  write_file_atomically(folder / "f", bytes_of(""));
  REQUIRE(content_of(folder / "f").empty());
}

TEST_CASE("read_file says what it could not do") {
  const scratch_folder folder;
  REQUIRE(message_of<io_error>([&] { (void)read_file(folder / "none"); }) ==
          "cannot open " + folder / "none" + ": No such file or directory");
  REQUIRE(message_of<io_error>([&] { (void)read_file(folder / ""); }) ==
          "cannot read " + folder / "" + ": it is a folder");
  write_file_atomically(folder / "f", bytes_of("12345"));
  REQUIRE(read_file(folder / "f", 5).size() == 5);
  REQUIRE(message_of([&] { (void)read_file(folder / "f", 4); }) ==
          folder / "f" + ": at most 4 bytes can be read, the file has 5");
}

TEST_CASE("what has no size beforehand is read to its end, within the limit") {
  if (!std::filesystem::exists("/dev/zero") || !std::filesystem::exists("/proc/self/status")) return;
  REQUIRE(read_file("/proc/self/status").size() > 0);
  REQUIRE(message_of([] { (void)read_file("/dev/zero", 100'000); }) ==
          "/dev/zero: at most 100000 bytes can be read, it has more");
  REQUIRE(read_file("/dev/null").size() == 0);
}

TEST_CASE("a write that fails leaves the old file and nothing else") {
  const scratch_folder folder;
  write_file_atomically(folder / "f", bytes_of("old"));
  REQUIRE(message_of<numeric_error>([&] {
            write_file_atomically(folder / "f", [](file_sink& sink) {
              sink.write(std::string(300'000, 'x'));
              throw numeric_error("the loss diverged");
            });
          }) == "the loss diverged");
  REQUIRE(content_of(folder / "f") == "old");
  REQUIRE(folder.list() == std::vector<std::string>{"f"});
}

TEST_CASE("write_file_atomically says what it could not do") {
  const scratch_folder folder;
  REQUIRE(message_of<io_error>([&] { write_file_atomically(folder / "no/f", bytes_of("x")); }) ==
          "cannot create a file beside " + folder / "no/f" + ": No such file or directory");
  REQUIRE(message_of<io_error>([&] { write_file_atomically(folder / "", bytes_of("x")); }) ==
          "cannot write " + folder / "" + ": it is a folder");
  if (std::filesystem::exists("/dev/full"))
    REQUIRE(message_of<io_error>([] { write_file_atomically("/dev/full", bytes_of("x")); }) ==
            "cannot write /dev/full: No space left on device");
}

TEST_CASE("an overwritten file keeps its permissions, a link stays a link, a device stays a device") {
  namespace fs = std::filesystem;
  const scratch_folder folder;
  write_file_atomically(folder / "f", bytes_of("old"));
  fs::permissions(folder / "f", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("f", folder / "link");
  write_file_atomically(folder / "link", bytes_of("new"));
  REQUIRE(fs::is_symlink(folder / "link"));
  REQUIRE(content_of(folder / "f") == "new");
  REQUIRE(fs::status(folder / "f").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  write_file_atomically("/dev/null", bytes_of("x"));
  REQUIRE(!fs::is_regular_file("/dev/null"));
}

TEST_CASE("a name as long as the file system takes can be written") {
  const scratch_folder folder;
  const std::string longest(255, 'n');
  write_file_atomically(folder / longest, bytes_of("x"));
  REQUIRE(content_of(folder / longest) == "x");
}

}  // namespace

}  // namespace file_test
