// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/detail/png_library.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/picture.hpp>
#include <exception>
#include <string>
#include <vector>

namespace anodiff::formats {

namespace detail {

/// A libpng writer to memory, and its end.
class png_composer {
 public:
  png_composer() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &trap_, anodiff_png_error, anodiff_png_warning);
    check<memory_error>(png_ != nullptr, "write_png: no memory");
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, nullptr);
      throw memory_error("write_png: no memory");
    }
  }
  png_composer(const png_composer&) = delete;
  png_composer& operator=(const png_composer&) = delete;
  ~png_composer() { png_destroy_write_struct(&png_, &info_); }

  [[nodiscard]] buffer compose(const picture& from) {
    const bool deep = from.maximum == 65535;
    const auto samples = static_cast<std::size_t>(from.values.row_size());
    std::vector<unsigned char> narrow(deep ? 0 : samples);
    const bool done = trapped(trap_, [this, &from, &narrow, deep] {
      png_set_write_fn(png_, this, &png_composer::take, nullptr);
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(from.width()), static_cast<png_uint_32>(from.height()),
                   deep ? 16 : 8, from.channels() == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                   PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_write_info(png_, info_);
      if (deep) png_set_swap(png_);
      for (index i = 0; i < from.height(); ++i) {
        const std::uint16_t* const row = from.values.data() + i * from.values.row_size();
        for (std::size_t k = 0; k < narrow.size(); ++k) narrow[k] = static_cast<unsigned char>(row[k]);
        png_write_row(png_, deep ? reinterpret_cast<png_const_bytep>(row) : narrow.data());
      }
      png_write_end(png_, nullptr);
    });
    if (failure_) std::rethrow_exception(failure_);
    check(done, "write_png: ", std::string_view{trap_.reason});
    return std::move(out_);
  }

 private:
  static void take(png_structp png, png_bytep from, std::size_t count) {
    auto& self = *static_cast<png_composer*>(png_get_io_ptr(png));
    if (!self.append({reinterpret_cast<const std::byte*>(from), count})) png_error(png, "no memory");
  }
  bool append(byte_span bytes) noexcept {
    try {
      out_.append(bytes);
      return true;
    } catch (...) {  // an exception must not pass libpng's frames
      failure_ = std::current_exception();
      return false;
    }
  }

  error_trap trap_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  buffer out_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// The bytes of a PNG: grey or RGB, 8 bits where maximum is 255, 16 where it is 65535. Throws invalid_argument on
/// another maximum or count of channels, on a value above the maximum, and on a picture without pixels.
[[nodiscard]] inline buffer encode_png(const picture& from) {
  check(from.maximum == 255 || from.maximum == 65535, "encode_png: maximum must be 255 or 65535, got ", from.maximum);
  check(from.channels() == 1 || from.channels() == 3, "encode_png: needs 1 or 3 channels, got ", from.channels());
  check(from.values.size() > 0, "encode_png: needs at least one pixel, got shape ", to_string(from.values.extents()));
  int highest = 0;
  for (const int value : from.values.flat()) highest = std::max(highest, value);
  check(highest <= from.maximum, "encode_png: values must not exceed ", from.maximum, ", got ", highest);
  return detail::png_composer{}.compose(from);
}

/// Writes a PNG file, whole or not at all. Throws as encode_png, and io_error where the system refuses.
inline void write_png(const std::string& path, const picture& from) { write_file_atomically(path, encode_png(from)); }

}  // namespace anodiff::formats
