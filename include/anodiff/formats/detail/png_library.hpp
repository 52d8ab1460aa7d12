// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <png.h>

#include <anodiff/formats/detail/error_trap.hpp>

namespace anodiff::formats::detail {

extern "C" [[noreturn]] inline void anodiff_png_error(png_structp png, png_const_charp reason) {
  auto* trap = static_cast<error_trap*>(png_get_error_ptr(png));
  trap->note(reason);
  trap->give_up();
}
extern "C" inline void anodiff_png_warning(png_structp, png_const_charp) {}

}  // namespace anodiff::formats::detail
