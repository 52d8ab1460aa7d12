// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without a fuzzer: on nothing, on each file of the folders and files named, on their beginnings and
// on copies with changed bytes. The changes are the same in every run. What is being tried is named if the target dies.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::size_t beginnings = 64;  // for each file
constexpr std::size_t changes = 256;    // for each file

std::string trying = "nothing";
std::size_t runs = 0;

void name_it() { std::fprintf(stderr, "replay: died on %s\n", trying.c_str()); }

void run(const std::vector<std::uint8_t>& bytes, const std::string& what) {
  trying = what;
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());  // no spare capacity that would hide an overrun
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  ++runs;
}

void replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) throw std::runtime_error("replay: could not read " + path.string());
  const auto name = path.string();
  run(bytes, name);
  const std::size_t stride = std::max<std::size_t>(1, bytes.size() / beginnings);
  for (std::size_t size = 0; size < bytes.size(); size += stride) {
    run({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, name + ", first " + std::to_string(size));
  }
  if (bytes.empty()) return;
  std::minstd_rand random(1);
  for (std::size_t i = 0; i < changes; ++i) {
    auto changed = bytes;
    const std::size_t count = 1 + i % 3;
    // Headers decide most; half of the changes fall into the first 64 bytes.
    const std::size_t range = i % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 64);
    for (std::size_t k = 0; k < count; ++k) {
      auto& byte = changed[random() % range];
      switch (random() % 4) {
        case 0:
          byte = 0;
          break;
        case 1:
          byte = 0xff;
          break;
        case 2:
          byte = static_cast<std::uint8_t>(byte ^ (1u << (random() % 8)));
          break;
        default:
          byte = static_cast<std::uint8_t>(random());
      }
    }
    run(changed, name + ", change " + std::to_string(i));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate([] {
    name_it();
    try {
      if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "replay: %s\n", e.what());
    } catch (...) {
    }
    std::abort();
  });
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(name_it);
  LLVMFuzzerTestOneInput(nullptr, 0);
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path given = argv[i];
    if (!std::filesystem::exists(given)) continue;  // a target without a corpus yet
    if (!std::filesystem::is_directory(given)) {
      replay(given);
      continue;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(given)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) replay(file);
  }
  std::printf("replay: %zu inputs\n", runs + 1);
}
