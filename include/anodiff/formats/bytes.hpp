// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/tensor.hpp>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

static_assert(std::endian::native == std::endian::little, "formats: all file formats here are little-endian");

using byte_span = std::span<const std::byte>;

/// The bytes of any text.
[[nodiscard]] inline byte_span bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span<const char>{text.data(), text.size()});
}
/// The text of any bytes.
[[nodiscard]] inline std::string_view text_of(byte_span bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A name out of a file, in quotes, safe to put into a message: shortened, control characters replaced by '?'.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > longest ? "...\"" : "\"");
}

/// Owned bytes, aligned to tensor_alignment, movable. Unlike a vector it leaves new bytes unset, so that a large file
/// touches its memory once.
class buffer {
 public:
  buffer() = default;
  /// size bytes of unset content. Throws memory_error where the system has no such room.
  explicit buffer(std::size_t size) : size_{size}, capacity_{size}, data_{allocate(size)} {}
  explicit buffer(byte_span from) : buffer{from.size()} {
    if (!from.empty()) std::memcpy(data_, from.data(), from.size());
  }
  buffer(buffer&& other) noexcept { swap(other); }
  buffer& operator=(buffer&& other) noexcept {
    buffer{std::move(other)}.swap(*this);
    return *this;
  }
  ~buffer() { ::operator delete (data_, std::align_val_t{tensor_alignment}); }

  [[nodiscard]] std::byte* data() noexcept { return data_; }
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] byte_span span() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::span<std::byte> span() noexcept { return {data_, size_}; }
  operator byte_span() const noexcept { return span(); }  // NOLINT: a buffer is its bytes

  /// Keeps the first min(size(), size) bytes; what is new is unset. Shrinking never moves.
  void resize(std::size_t size) {
    if (size > capacity_) {
      buffer larger{std::max(size, capacity_ + capacity_ / 2)};
      if (size_ > 0) std::memcpy(larger.data_, data_, size_);
      swap(larger);
    }
    size_ = size;
  }
  void append(byte_span more) {
    if (more.empty()) return;
    const std::size_t at = size_;
    resize(at + more.size());
    std::memcpy(data_ + at, more.data(), more.size());
  }
  /// A sink's verb (see file.hpp), so that a writer can write to memory.
  void write(byte_span more) { append(more); }

 private:
  static std::byte* allocate(std::size_t size) {
    if (size == 0) return nullptr;
    auto* p = static_cast<std::byte*>(::operator new (size, std::align_val_t{tensor_alignment}, std::nothrow));
    check<memory_error>(p != nullptr, "buffer: no memory for ", size, " bytes");
    return p;
  }
  void swap(buffer& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(data_, other.data_);
  }

  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::byte* data_ = nullptr;
};

/// Reads little-endian numbers from bytes and never beyond them; its errors name the file and the offset in it.
/// The bytes and the name must outlive it.
class byte_reader {
 public:
  /// name is the file's, for messages; base is the place of bytes[0] in that file.
  byte_reader(byte_span bytes, std::string_view name, std::size_t base = 0) noexcept
      : bytes_{bytes}, name_{name}, base_{base} {}

  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

  /// The next number. Throws data_error, naming what, where the bytes end before it.
  template <std::unsigned_integral T>
  [[nodiscard]] T take(std::string_view what) {
    T value;
    std::memcpy(&value, take_bytes(sizeof value, what).data(), sizeof value);
    return value;
  }
  /// The next count bytes. Throws data_error, naming what, where fewer are left.
  [[nodiscard]] byte_span take_bytes(std::uint64_t count, std::string_view what) {
    if (count > left()) fail("cut short: ", what, " needs ", count, " bytes, got ", left());
    const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += taken.size();
    return taken;
  }
  /// Goes to a position counted from bytes[0]. Throws data_error, naming what, where it lies beyond the end.
  void seek(std::uint64_t position, std::string_view what) {
    if (position > bytes_.size()) fail("cut short: ", what, " should begin at byte ", position, " of ", bytes_.size());
    at_ = static_cast<std::size_t>(position);
  }
  /// Throws data_error "NAME: parts (at byte N)".
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw data_error(concat(name_, ": ", parts..., " (at byte ", base_ + at_, ")"));
  }

 private:
  byte_span bytes_;
  std::string_view name_;
  std::size_t base_;
  std::size_t at_ = 0;
};

}  // namespace anodiff::formats
