// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>  // jpeglib.h needs it

#include <jpeglib.h>

#include <jerror.h>

#include <anodiff/formats/detail/error_trap.hpp>
#include <anodiff/formats/picture.hpp>
#include <limits>
#include <string_view>

namespace anodiff::formats {

namespace detail {

/// A libjpeg reader of bytes in memory, and its end.
class jpeg_reader {
 public:
  jpeg_reader(byte_span content, std::string_view name) : content_{content}, name_{name} {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = [](j_common_ptr jpeg) { refuse(jpeg); };
    errors_.emit_message = [](j_common_ptr jpeg, int level) {
      if (level < 0 && !harmless(jpeg->err->msg_code)) refuse(jpeg);
    };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr jpeg) {
      constexpr int most_scans = 500;  // each costs a pass over all blocks; encoders write about ten
      if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= most_scans) return;
      auto& trap = static_cast<jpeg_reader*>(jpeg->client_data)->trap_;
      trap.note("it has more than 500 scans");
      trap.give_up();
    };
  }
  jpeg_reader(const jpeg_reader&) = delete;
  jpeg_reader& operator=(const jpeg_reader&) = delete;
  ~jpeg_reader() { jpeg_destroy_decompress(&jpeg_); }

  [[nodiscard]] picture read(picture_limits limits) {
    check<data_error>(content_.size() <= std::numeric_limits<unsigned long>::max(), name_, ": too large for a JPEG");
    attempt([this] {
      jpeg_create_decompress(&jpeg_);
      jpeg_.progress = &progress_;
      jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(content_.data()),
                   static_cast<unsigned long>(content_.size()));
      jpeg_read_header(&jpeg_, TRUE);
    });
    const auto colours = jpeg_.jpeg_color_space;
    const bool four = colours == JCS_CMYK || colours == JCS_YCCK;
    check<data_error>(!four, name_, ": a JPEG in CMYK, printing colours, cannot be read; convert it to RGB or grey");
    const int channels = colours == JCS_GRAYSCALE ? 1 : 3;
    check<data_error>(colours != JCS_UNKNOWN, name_, ": a JPEG of ", jpeg_.num_components,
                      " channels of unknown colours cannot be read");
    check_picture_size(name_, jpeg_.image_height, jpeg_.image_width, channels, limits);
    picture out{tensor<std::uint16_t, 3>{{index{jpeg_.image_height}, index{jpeg_.image_width}, channels}}, 255};
    auto* const first = narrow_samples(out);
    const std::size_t row = std::size_t{jpeg_.image_width} * static_cast<std::size_t>(channels);
    attempt([this, first, row, channels] {
      jpeg_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_.dct_method = JDCT_ISLOW;
      jpeg_start_decompress(&jpeg_);
      while (jpeg_.output_scanline < jpeg_.output_height) {
        JSAMPROW line = first + jpeg_.output_scanline * row;
        jpeg_read_scanlines(&jpeg_, &line, 1);
      }
      jpeg_finish_decompress(&jpeg_);
    });
    widen_samples(out);
    return out;
  }

 private:
  template <class Work>
  void attempt(const Work& work) {
    if (!trapped(trap_, work))
      throw data_error(concat(name_, ": cannot read this JPEG: ", std::string_view{trap_.reason}));
  }

  /// Warnings after which every pixel is still what the encoder wrote.
  static bool harmless(int code) noexcept {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
  }
  [[noreturn]] static void refuse(j_common_ptr jpeg) {
    auto& trap = static_cast<jpeg_reader*>(jpeg->client_data)->trap_;
    if (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JERR_INPUT_EMPTY) {
      trap.note("the file is cut short");
    } else {
      char text[JMSG_LENGTH_MAX] = {};
      jpeg->err->format_message(jpeg, text);
      trap.note(text);
    }
    trap.give_up();
  }

  byte_span content_;
  std::string_view name_;
  error_trap trap_;
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct jpeg_{};
};

}  // namespace detail

/// Reads a JPEG, baseline or progressive, grey or in colours, which become red, green and blue. One in CMYK is refused;
/// the camera's orientation and colour profiles are not applied. name stands for the file in messages. Throws
/// data_error where it is damaged, cut short or no JPEG, memory_error where it has more pixels than the limit.
[[nodiscard]] inline picture parse_jpeg(byte_span content, std::string_view name, picture_limits limits = {}) {
  return detail::jpeg_reader{content, name}.read(limits);
}

}  // namespace anodiff::formats
