// SPDX-License-Identifier: Apache-2.0
#include "require.hpp"

#include <anodiff/formats/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff::formats;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  try {
    const json value = parse_json(text);
    require(parse_json(value.dump()) == value, "a written value reads back the same");
    require(parse_json(value.dump(2)) == value, "an indented value reads back the same");
    require(parse_json(value.dump()).dump() == value.dump(), "writing has one result");
  } catch (const anodiff::error&) {
  }
  return 0;
}
