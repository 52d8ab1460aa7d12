// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/detail/png_library.hpp>
#include <anodiff/formats/picture.hpp>
#include <cstring>
#include <string_view>
#include <vector>

namespace anodiff::formats {

namespace detail {

/// A libpng reader of bytes in memory, and its end.
class png_reader {
 public:
  png_reader(byte_span content, std::string_view name) : left_{content}, size_{content.size()}, name_{name} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &trap_, anodiff_png_error, anodiff_png_warning);
    check<memory_error>(png_ != nullptr, name_, ": no memory to read a PNG");
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw memory_error(concat(name_, ": no memory to read a PNG"));
    }
  }
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;
  ~png_reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  [[nodiscard]] picture read(picture_limits limits) {
    attempt([this] { read_head(); });
    check_picture_size(name_, height_, width_, channels_, limits);
    constexpr std::uint64_t most_packed = 1032;  // deflate cannot pack more tightly: 258 bytes in 2 bits
    check<data_error>(stored_row_ <= most_packed * size_ / height_, name_, ": cannot read this PNG: ", height_, " x ",
                      width_, " pixels cannot lie in a file of ", size_, " bytes");
    picture out{tensor<std::uint16_t, 3>{{index{height_}, index{width_}, channels_}}, deep_ ? 65535 : 255};
    auto* const first = deep_ ? reinterpret_cast<unsigned char*>(out.values.data()) : detail::narrow_samples(out);
    std::vector<png_bytep> rows(height_);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = first + i * row_;
    attempt([this, &rows] {
      png_read_image(png_, rows.data());
      png_read_end(png_, nullptr);
    });
    if (!deep_) widen_samples(out);
    return out;
  }

 private:
  template <class Work>
  void attempt(const Work& work) {
    if (!trapped(trap_, work))
      throw data_error(concat(name_, ": cannot read this PNG: ", std::string_view{trap_.reason}));
  }

  // Between a trap and libpng: plain values alone.
  void read_head() {
    png_set_read_fn(png_, this, &png_reader::give);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // colour profiles, texts, animation
    png_read_info(png_, info_);
    width_ = png_get_image_width(png_, info_);
    height_ = png_get_image_height(png_, info_);
    stored_row_ = png_get_rowbytes(png_, info_);
    deep_ = png_get_bit_depth(png_, info_) == 16;
    const auto colours = png_get_color_type(png_, info_);
    if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (colours == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_alpha(png_);
    if (deep_) png_set_swap(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    channels_ = png_get_channels(png_, info_);
    row_ = png_get_rowbytes(png_, info_);
    const std::size_t samples = std::size_t{width_} * static_cast<std::size_t>(channels_);
    if ((channels_ != 1 && channels_ != 3) || row_ != samples * (deep_ ? 2 : 1))
      png_error(png_, "its kind of pixels is unknown");
  }
  static void give(png_structp png, png_bytep to, std::size_t count) {
    auto& self = *static_cast<png_reader*>(png_get_io_ptr(png));
    if (count > self.left_.size()) png_error(png, "the file is cut short");
    std::memcpy(to, self.left_.data(), count);
    self.left_ = self.left_.subspan(count);
  }

  byte_span left_;
  std::size_t size_;
  std::string_view name_;
  error_trap trap_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_uint_32 width_ = 0, height_ = 0;
  std::size_t stored_row_ = 0, row_ = 0;
  int channels_ = 0;
  bool deep_ = false;
};

}  // namespace detail

/// Reads a PNG of any colour type, depth and interlacing. 16 bits stay 16; fewer than 8 are spread over 0 … 255; a
/// palette becomes its colours. Transparency is dropped, the colours under it stay; gamma and colour profiles are not
/// applied; of an animation the default picture is read. name stands for the file in messages. Throws data_error where
/// it is damaged, cut short or no PNG, memory_error where it has more pixels than the limit.
[[nodiscard]] inline picture parse_png(byte_span content, std::string_view name, picture_limits limits = {}) {
  return detail::png_reader{content, name}.read(limits);
}

}  // namespace anodiff::formats
