// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <filesystem>

#include <anodiff/core/philox.hpp>
#include <anodiff/formats/csv.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/npy.hpp>
#include <anodiff/formats/safetensors.hpp>
#include <csignal>
#include <fstream>

#include "../formats/fixtures.hpp"

namespace cli {

using anodiff::concat;
using anodiff::index;
using formats_fixtures::scratch_folder;
namespace formats = anodiff::formats;
using words = std::vector<std::string>;

inline std::string content_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}
inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream{path, std::ios::binary} << text;
}
inline bool exists(const std::string& path) { return std::filesystem::exists(path); }

/// How a run of the program ended.
struct ended {
  int code = -1;   ///< exit code; -1 where a signal ended it
  int signal = 0;  ///< that signal
  std::string out, err;

  [[nodiscard]] formats::json json() const { return formats::parse_json(out, "stdout"); }
};

/// The program while it runs. Its output goes to files, so that no pipe can fill.
class started {
 public:
  started(const scratch_folder& folder, words arguments) : out_{folder / ".stdout"}, err_{folder / ".stderr"} {
    arguments.insert(arguments.begin(), ANODIFF_CLI);
    std::vector<char*> argv;
    for (auto& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const auto send = [](const std::string& path, int to) {
        ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), to);
      };
      send(out_, STDOUT_FILENO);
      send(err_, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  started(const started&) = delete;
  started& operator=(const started&) = delete;
  ~started() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  void signal(int which) const { ::kill(pid_, which); }
  ended wait() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, content_of(out_),
            content_of(err_)};
  }

 private:
  std::string out_, err_;
  pid_t pid_ = -1;
};

inline ended run(const scratch_folder& folder, words arguments) { return started{folder, std::move(arguments)}.wait(); }

/// A run that must end well.
inline ended done(const scratch_folder& folder, words arguments) {
  auto out = run(folder, std::move(arguments));
  INFO(out.err);
  REQUIRE(out.code == 0);
  return out;
}

/// Rows around two centres, and below them anomalies far from both: ids r1, r2, …, columns a, b, c, d, a label.
inline formats::table clusters(index normals, index anomalies, std::uint64_t seed = 1) {
  formats::table out;
  out.columns = {"a", "b", "c", "d"};
  out.values = anodiff::tensor<double, 2>{{normals + anomalies, 4}};
  out.has_ids = out.has_labels = true;
  const anodiff::noise_key key{.seed = seed};
  for (index i = 0; i < normals + anomalies; ++i) {
    for (index j = 0; j < 4; ++j) {
      const double centre = i >= normals ? (j % 2 == 0 ? 0 : 10) : (i % 2 == 0 ? 3 : -3);
      out.values(i, j) = centre + 0.5 * anodiff::random_normal(key, static_cast<std::uint64_t>(4 * i + j));
    }
    out.ids.push_back(concat("r", i + 1));
    out.labels.push_back(i >= normals ? 1 : 0);
  }
  return out;
}

/// The numbers of a network that learns within milliseconds.
inline words tiny(const std::string& method, words more = {}) {
  words out{"fit", method, "--threads", "1", "--set", "training.steps=50"};
  if (method != "dte_np") out.insert(out.end(), {"--set", "model.width=16"});
  if (method == "ddpm_reconstruction")
    out.insert(out.end(), {"--set", "model.hidden=16", "--set", "model.blocks=1", "--set", "steps=5"});
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace cli
