// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#ifdef ANODIFF_HAS_ZLIB
#include "require.hpp"

#include <anodiff/formats/npz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff::formats;
  constexpr zip_limits limits{.unpacked = std::uint64_t{1} << 24, .members = 256};
  try {
    const npz_file file{zip_archive{buffer{std::as_bytes(std::span{data, size})}, "fuzz", limits}};
    std::vector<array> arrays;
    std::vector<named_tensor> stored;  // as if row-major: only the bytes are compared
    for (const auto& name : file.names()) {
      arrays.push_back(file.read(name));
      stored.push_back({name, arrays.back().type(), arrays.back().shape(), arrays.back().bytes()});
    }
    for (const bool compressed : {false, true}) {
      buffer written;
      write_npz(written, stored, compressed);
      const npz_file again{zip_archive{std::move(written), "again"}};
      require(again.names() == file.names(), "no array is lost");
      for (std::size_t i = 0; i < arrays.size(); ++i) {
        const array one = again.read(stored[i].name);
        require(one.type() == arrays[i].type() && one.shape() == arrays[i].shape(), "an array keeps its facts");
        require(text_of(one.bytes()) == text_of(arrays[i].bytes()), "an array keeps its bytes");
      }
    }
  } catch (const anodiff::error&) {
  }
  return 0;
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }
#endif
