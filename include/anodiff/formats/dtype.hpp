// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <anodiff/formats/bytes.hpp>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace anodiff::formats {

/// What one element of a stored array is; all little-endian.
enum class dtype : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(dtype type) noexcept {
  switch (type) {
    case dtype::f64:
    case dtype::i64:
    case dtype::u64:
      return 8;
    case dtype::f32:
    case dtype::i32:
    case dtype::u32:
      return 4;
    case dtype::f16:
    case dtype::bf16:
    case dtype::i16:
    case dtype::u16:
      return 2;
    default:
      return 1;
  }
}

/// The name for messages, as NumPy says it: "float32".
[[nodiscard]] constexpr std::string_view name_of(dtype type) noexcept {
  constexpr std::string_view names[] = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16",
                                        "int8",    "uint64",  "uint32",  "uint16",   "uint8", "bool"};
  return names[static_cast<std::size_t>(type)];
}

/// The dtype that stores a C++ number; float16 and bfloat16 have none.
template <class T>
requires std::is_arithmetic_v<T>
[[nodiscard]] constexpr dtype dtype_of() noexcept {
  if constexpr (std::is_same_v<T, bool>)
    return dtype::boolean;
  else if constexpr (std::is_floating_point_v<T>)
    return sizeof(T) == 8 ? dtype::f64 : dtype::f32;
  else if constexpr (std::is_signed_v<T>)
    return sizeof(T) == 8 ? dtype::i64 : sizeof(T) == 4 ? dtype::i32 : sizeof(T) == 2 ? dtype::i16 : dtype::i8;
  else
    return sizeof(T) == 8 ? dtype::u64 : sizeof(T) == 4 ? dtype::u32 : sizeof(T) == 2 ? dtype::u16 : dtype::u8;
}

/// IEEE 754 binary16 to float, exact for every value, subnormals, infinities and NaN included.
[[nodiscard]] inline float float_from_half(std::uint16_t bits) noexcept {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t rest = bits & 0x7fffu;
  if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  const float scaled = std::bit_cast<float>(rest << 13) * 0x1p112f;  // moves the exponent bias from 15 to 127
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

/// bfloat16 to float: the upper half of its bits.
[[nodiscard]] inline float float_from_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

namespace detail {

template <class Stored>
struct load_plain {
  static constexpr std::size_t size = sizeof(Stored);
  static Stored at(const std::byte* p) noexcept {
    Stored value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
};
struct load_half {
  static constexpr std::size_t size = 2;
  static float at(const std::byte* p) noexcept { return float_from_half(load_plain<std::uint16_t>::at(p)); }
};
struct load_bfloat16 {
  static constexpr std::size_t size = 2;
  static float at(const std::byte* p) noexcept { return float_from_bfloat16(load_plain<std::uint16_t>::at(p)); }
};
struct load_bool {
  static constexpr std::size_t size = 1;
  static std::uint8_t at(const std::byte* p) noexcept { return *p != std::byte{0}; }
};

}  // namespace detail

/// Calls f with a type L whose L::at(const std::byte*) loads one element of that type from any address, without
/// alignment, and whose L::size is its bytes.
template <class F>
decltype(auto) visit_dtype(dtype type, F&& f) {
  switch (type) {
    case dtype::f64:
      return f(detail::load_plain<double>{});
    case dtype::f32:
      return f(detail::load_plain<float>{});
    case dtype::f16:
      return f(detail::load_half{});
    case dtype::bf16:
      return f(detail::load_bfloat16{});
    case dtype::i64:
      return f(detail::load_plain<std::int64_t>{});
    case dtype::i32:
      return f(detail::load_plain<std::int32_t>{});
    case dtype::i16:
      return f(detail::load_plain<std::int16_t>{});
    case dtype::i8:
      return f(detail::load_plain<std::int8_t>{});
    case dtype::u64:
      return f(detail::load_plain<std::uint64_t>{});
    case dtype::u32:
      return f(detail::load_plain<std::uint32_t>{});
    case dtype::u16:
      return f(detail::load_plain<std::uint16_t>{});
    case dtype::u8:
      return f(detail::load_plain<std::uint8_t>{});
    default:
      return f(detail::load_bool{});
  }
}

/// Bytes that an array of this shape fills; nothing where an extent is negative or the count leaves the range of index.
/// Extents of 0 do not excuse the others.
[[nodiscard]] inline std::optional<std::uint64_t> stored_size(std::span<const index> extents, dtype type) noexcept {
  auto product = static_cast<std::uint64_t>(size_of(type));
  bool empty = false;
  for (const index extent : extents) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<index>::max());
    if (product > limit / static_cast<std::uint64_t>(extent)) return std::nullopt;
    product *= static_cast<std::uint64_t>(extent);
  }
  return empty ? 0 : product;
}

/// A shape as "(3, 4)", for messages.
[[nodiscard]] inline std::string shape_text(std::span<const index> extents) {
  std::string out = "(";
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (i == 8 && extents.size() > 9) {
      out += ", ...";
      break;
    }
    out += concat(i == 0 ? "" : ", ", extents[i]);
  }
  return out + (extents.size() == 1 ? ",)" : ")");
}

}  // namespace anodiff::formats
