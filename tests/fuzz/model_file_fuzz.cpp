// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <anodiff/runtime/any_detector.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "require.hpp"

namespace {

/// A file that can be opened by name, gone at the end of its life.
class scratch_file {
 public:
  scratch_file() : path_{(std::filesystem::temp_directory_path() / "anodiff-fuzz-XXXXXX").string()} {
    descriptor_ = ::mkstemp(path_.data());
    require(descriptor_ >= 0, "a scratch file");
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  void write(const std::uint8_t* data, std::size_t size) const {
    require(::write(descriptor_, data, size) == static_cast<ssize_t>(size), "the bytes are written");
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff;
  const scratch_file given;
  given.write(data, size);
  try {
    const auto model = any_detector::load(given.path(), 1);
    const tensor<double, 2> x{{2, static_cast<anodiff::index>(model.column_means().size())}};
    const auto found = model.score(x);
    require(found.score[0] == found.score[1], "equal rows have equal scores");
    model.save(given.path());
    require(any_detector::load(given.path(), 1).score(x).score == found.score, "a model that loads is saved whole");
  } catch (const error&) {
  }
  return 0;
}
