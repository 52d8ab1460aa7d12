// SPDX-License-Identifier: Apache-2.0
#include "require.hpp"

#include <anodiff/formats/npy.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff::formats;
  try {
    const array read = parse_npy(buffer{std::as_bytes(std::span{data, size})}, "fuzz");
    std::vector<double> values(static_cast<std::size_t>(read.size()));
    read.copy_to(std::span{values});
    buffer written;
    written.write(bytes_of(npy_header(dtype::f64, read.shape())));
    written.write(std::as_bytes(std::span{values}));
    require(written.size() % 64 == values.size() * 8 % 64, "the header is a multiple of 64 bytes");
    const array again = parse_npy(std::move(written), "again");
    require(again.shape() == read.shape() && !again.fortran_order(), "an array keeps its shape");
    require(text_of(again.bytes()) == text_of(std::as_bytes(std::span{values})), "an array keeps its elements");
  } catch (const anodiff::error&) {
  }
  return 0;
}
