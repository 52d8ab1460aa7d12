// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <limits>
#include <string_view>

namespace anodiff::formats::detail {

inline constexpr int raw_deflate = -15;               // zlib's sign for deflate without a head, window 2^15
inline constexpr std::uint64_t largest_ratio = 1032;  // deflate cannot pack more tightly: 258 bytes in 2 bits

inline std::uint32_t crc_of(byte_span bytes, std::uint32_t before = 0) noexcept {
  if (bytes.empty()) return before;  // zlib takes a null pointer for a question after its first value
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<z_size_t>(bytes.size())));
}

/// A zlib stream and its end.
template <int (*End)(z_streamp)>
struct zlib_stream : z_stream {
  zlib_stream() : z_stream{} {}
  zlib_stream(const zlib_stream&) = delete;
  zlib_stream& operator=(const zlib_stream&) = delete;
  ~zlib_stream() { End(this); }

  /// Hands over as much of the input as one call takes.
  void feed(byte_span& from) noexcept {
    if (avail_in > 0 || from.empty()) return;
    const auto piece = from.first(std::min<std::size_t>(from.size(), std::numeric_limits<uInt>::max()));
    next_in = reinterpret_cast<z_const Bytef*>(const_cast<std::byte*>(piece.data()));
    avail_in = static_cast<uInt>(piece.size());
    from = from.subspan(piece.size());
  }
  void give_room(std::span<std::byte> to) noexcept {
    next_out = reinterpret_cast<Bytef*>(to.data());
    avail_out = static_cast<uInt>(std::min<std::size_t>(to.size(), std::numeric_limits<uInt>::max()));
  }
};

/// Unpacks to exactly size bytes; room grows with what has been unpacked, not with what is promised.
inline buffer inflate_exactly(byte_span packed, std::uint64_t size, std::string_view who) {
  const auto refuse = [&](std::string_view why) { throw data_error(concat(who, " ", why)); };
  zlib_stream<::inflateEnd> stream;
  check<memory_error>(::inflateInit2(&stream, raw_deflate) == Z_OK, who, ": no memory to unpack it");
  constexpr std::uint64_t at_first = 65536;
  buffer out{static_cast<std::size_t>(std::min(size, std::max(at_first, 4 * std::uint64_t{packed.size()})))};
  std::size_t done = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (done == out.size() && done < size)
      out.resize(static_cast<std::size_t>(std::min(size, 2 * std::uint64_t{done} + at_first)));
    stream.feed(packed);
    std::byte spare[1];  // full output still needs the end mark to be read; one byte here means too much
    const bool full = done == out.size();
    stream.give_room(full ? std::span{spare} : out.span().subspan(done));
    const uInt room = stream.avail_out;
    status = ::inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = room - stream.avail_out;
    if (full && made > 0) refuse(concat("unpacks to more than the stated ", size, " bytes"));
    done += made;
    if (status == Z_MEM_ERROR) throw memory_error(concat(who, ": no memory to unpack it"));
    if (status == Z_BUF_ERROR) refuse("is cut short: its deflate stream has no end");
    if (status != Z_OK && status != Z_STREAM_END) refuse("has a damaged deflate stream");
  }
  if (done != size) refuse(concat("unpacks to ", done, " instead of the stated ", size, " bytes"));
  if (!packed.empty() || stream.avail_in > 0) refuse("has bytes after the end of its deflate stream");
  return out;
}

/// Packs pieces into one deflate stream.
inline buffer deflate_all(std::span<const byte_span> pieces) {
  zlib_stream<::deflateEnd> stream;
  check<memory_error>(
      ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_deflate, 8, Z_DEFAULT_STRATEGY) == Z_OK,
      "zip_writer: no memory to pack");
  constexpr std::size_t step = std::size_t{1} << 18;
  buffer out;
  std::size_t done = 0;
  const auto pump = [&](int flush) {
    int status = Z_OK;
    do {
      if (out.size() - done < step) out.resize(done + step);
      stream.give_room(out.span().subspan(done));
      const uInt room = stream.avail_out;
      status = ::deflate(&stream, flush);
      done += room - stream.avail_out;
    } while (stream.avail_out == 0 || (flush == Z_FINISH && status != Z_STREAM_END));
  };
  for (byte_span piece : pieces)
    while (!piece.empty()) {
      stream.feed(piece);
      pump(Z_NO_FLUSH);
    }
  pump(Z_FINISH);
  out.resize(done);
  return out;
}

}  // namespace anodiff::formats::detail
