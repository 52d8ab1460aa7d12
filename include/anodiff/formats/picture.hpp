// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/bytes.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace anodiff::formats {

/// A picture as its file stores it: whole numbers from 0, black, to maximum, in rows from the top.
struct picture {
  tensor<std::uint16_t, 3> values;  ///< (h, w, c), c = 1 grey or 3 red, green, blue
  int maximum = 255;                ///< 255 or 65535

  [[nodiscard]] index height() const noexcept { return values.extent(0); }
  [[nodiscard]] index width() const noexcept { return values.extent(1); }
  [[nodiscard]] index channels() const noexcept { return values.extent(2); }
  [[nodiscard]] bool operator==(const picture&) const = default;
};

/// How large a picture a reader takes.
struct picture_limits {
  index pixels = index{1} << 26;  ///< height times width; at least 1
};

/// The values over the maximum, in [0, 1], (h, w, c).
[[nodiscard]] inline tensor<float, 3> to_unit(const picture& from) {
  tensor<float, 3> out{from.values.extents()};
  const auto maximum = static_cast<float>(from.maximum);
  for (index i = 0; i < out.size(); ++i) out.data()[i] = static_cast<float>(from.values.data()[i]) / maximum;
  return out;
}

/// The nearest picture to values in [0, 1], (h, w, c); what lies outside is clipped. Throws invalid_argument where c is
/// not 1 or 3 or maximum not 255 or 65535, numeric_error on NaN.
[[nodiscard]] inline picture from_unit(tensor_view<const float, 3> values, int maximum = 255) {
  check(values.extent(2) == 1 || values.extent(2) == 3, "from_unit: needs 1 or 3 channels, got ", values.extent(2));
  check(maximum == 255 || maximum == 65535, "from_unit: maximum must be 255 or 65535, got ", maximum);
  picture out{tensor<std::uint16_t, 3>{values.extents()}, maximum};
  for (index i = 0; i < values.size(); ++i) {
    const float value = values.data()[i];
    check<numeric_error>(!std::isnan(value), "from_unit: needs numbers, got nan");
    const float scaled = std::clamp(value, 0.0f, 1.0f) * static_cast<float>(maximum);
    out.values.data()[i] = static_cast<std::uint16_t>(std::lround(scaled));
  }
  return out;
}

namespace detail {

/// Refuses a picture that has no pixels, or more than the limit, before any memory is taken for it.
inline void check_picture_size(std::string_view name, std::uint64_t height, std::uint64_t width, int channels,
                               picture_limits limits) {
  check(limits.pixels >= 1, "picture_limits: pixels must be at least 1, got ", limits.pixels);
  check<data_error>(height > 0 && width > 0, name, ": a picture needs at least one pixel, got ", height, " x ", width);
  const auto most = static_cast<std::uint64_t>(limits.pixels);
  check<memory_error>(width <= most / height, name, ": ", height, " x ", width, " pixels need ",
                      height * width * static_cast<std::uint64_t>(channels) * sizeof(std::uint16_t),
                      " bytes; the limit is ", most, " pixels");
}

/// Where a library may put n samples of one byte each, so that widen_samples can spread them in place.
inline unsigned char* narrow_samples(picture& into) noexcept {
  return reinterpret_cast<unsigned char*>(into.values.data()) + into.values.size();
}
inline void widen_samples(picture& into) noexcept {
  const unsigned char* from = narrow_samples(into);
  std::uint16_t* to = into.values.data();
  for (index i = 0; i < into.values.size(); ++i) {
    const std::uint16_t value = from[i];
    std::memcpy(to + i, &value, sizeof value);
  }
}

}  // namespace detail

}  // namespace anodiff::formats
