// SPDX-License-Identifier: Apache-2.0
// A training that is cut off goes on from its last checkpoint, and ends in the same bits as one that was not.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "pump.hpp"

namespace ad = anodiff;

namespace {

using method = ad::methods::denoising_error<ad::cpu_engine>;

method untrained() {
  method::options numbers;
  numbers.seed = 7;
  numbers.model.width = 64;
  numbers.training.steps = 96;
  return method{numbers};
}

struct power_cut {};

bool lesson(const std::string& checkpoint) {
  const auto normals = pump::rows(600, 1);  // (600, 6)

  try {
    const auto cut = [](const ad::progress& p) {
      if (p.done >= 48) throw power_cut{};
      return true;  // false would stop the training, and keep what has been learned
    };
    // 0 seconds: after every step, which only a lesson wants; the default is 30
    untrained().fit(normals, {.progress = cut, .checkpoint = checkpoint, .checkpoint_seconds = 0});
  } catch (const power_cut&) {
  }

  ad::index first_seen = 0;
  const auto look = [&](const ad::progress& p) {
    if (first_seen == 0) first_seen = p.done;
    return true;
  };
  method resumed = untrained();  // the same numbers and the same rows: anything else is refused
  resumed.fit(normals, {.progress = look, .checkpoint = checkpoint});

  method uncut = untrained();
  uncut.fit(normals);

  const auto fresh = pump::rows(50, 3, true);  // (50, 6)
  const bool same = resumed.score(fresh).score == uncut.score(fresh).score;
  std::printf("cut off at step 48 of 96, first seen again at step %lld; scores %s\n",
              static_cast<long long>(first_seen), same ? "equal to the last bit" : "NOT equal");
  return same && first_seen >= 48;
}

}  // namespace

int main() {
  const auto path = std::filesystem::temp_directory_path() / "anodiff_06_stop_and_resume.checkpoint";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  bool holds = false;
  try {
    holds = lesson(path.string());
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
  }
  std::filesystem::remove(path, ignored);
  return holds ? 0 : 1;
}
