// SPDX-License-Identifier: Apache-2.0
#include "require.hpp"

#include <anodiff/formats/safetensors.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff::formats;
  const auto same_bytes = [](byte_span a, byte_span b) { return text_of(a) == text_of(b); };
  try {
    const auto file = parse_safetensors(buffer{std::as_bytes(std::span{data, size})}, "fuzz");
    buffer written;
    write_safetensors(written, file.tensors, file.metadata);
    const auto again = parse_safetensors(buffer{written.span()}, "again");
    require(again.metadata == file.metadata, "metadata read back the same");
    require(again.tensors.size() == file.tensors.size(), "no tensor is lost");
    for (std::size_t i = 0; i < file.tensors.size(); ++i) {
      const auto &a = file.tensors[i], &b = again.tensors[i];
      require(a.name == b.name && a.type == b.type && a.shape == b.shape, "a tensor keeps its facts");
      require(same_bytes(a.bytes, b.bytes), "a tensor keeps its bytes");
      require(reinterpret_cast<std::uintptr_t>(a.bytes.data()) % size_of(a.type) == 0, "a tensor is aligned");
      require(&file.find(a.name) == &a, "a tensor is found by its name");
    }
    buffer rewritten;
    write_safetensors(rewritten, again.tensors, again.metadata);
    require(same_bytes(written.span(), rewritten.span()), "writing has one result");
  } catch (const anodiff::error&) {
  }
  return 0;
}
