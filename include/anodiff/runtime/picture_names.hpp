// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/anoddpm.hpp>
#include <anodiff/methods/ddpm_image.hpp>
#include <anodiff/methods/image_default.hpp>
#include <anodiff/methods/mddpm.hpp>
#include <anodiff/methods/pddpm.hpp>
#include <anodiff/runtime/erased_pictures.hpp>
#include <array>

// The one place that knows all names of methods for pictures. The functions are inline where a program is header-only,
// and compiled once where it links anodiff::presets.
namespace anodiff {

namespace detail {

using picture_maker = std::unique_ptr<erased_picture_detector> (*)(const text_fields&, const cpu_engine&);
struct named_picture_method {
  std::string_view name, summary;
  picture_maker make;
};
template <class Detector>
[[nodiscard]] constexpr named_picture_method picture_method_of(std::string_view summary) {
  return {Detector::parts_type::preset_type::name, summary, make_erased_pictures<Detector>};
}

inline constexpr std::array known_picture_methods{
    picture_method_of<methods::anoddpm<cpu_engine>>(
        "pictures: distance to what is rebuilt from simplex noise (Wyatt et al. 2022)"),
    picture_method_of<methods::ddpm_image<cpu_engine>>(
        "pictures: distance to what a diffusion model rebuilds from Gaussian noise (Ho et al. 2020)"),
    picture_method_of<methods::image_default<cpu_engine>>(
        "pictures: what a network that takes drawn damage away would change, at two scales"),
    picture_method_of<methods::mddpm<cpu_engine>>(
        "pictures: distance to what is rebuilt by a network that learned to fill in boxes (Iqbal et al. 2023)"),
    picture_method_of<methods::pddpm<cpu_engine>>(
        "pictures: distance to what is rebuilt patch by patch from clean surroundings (Behrendt et al. 2023)"),
};

[[nodiscard]] inline picture_maker find_picture_maker(std::string_view name) {
  std::string known;
  for (const auto& method : known_picture_methods) {
    if (method.name == name) return method.make;
    known += concat(known.empty() ? "" : ", ", method.name);
  }
  throw invalid_argument(concat("no method for pictures is called '", name, "'; there are ", known));
}

}  // namespace detail

#ifdef ANODIFF_COMPILING_PRESETS
#define ANODIFF_DETAIL_RUNTIME
#else
#define ANODIFF_DETAIL_RUNTIME inline
#endif

ANODIFF_DETAIL_RUNTIME std::vector<method_entry> any_picture_detector::methods() {
  std::vector<method_entry> out;
  for (const auto& method : detail::known_picture_methods)
    out.push_back({std::string{method.name}, std::string{method.summary}});
  return out;
}
ANODIFF_DETAIL_RUNTIME bool any_picture_detector::knows(std::string_view name) noexcept {
  for (const auto& method : detail::known_picture_methods)
    if (method.name == name) return true;
  return false;
}
ANODIFF_DETAIL_RUNTIME any_picture_detector any_picture_detector::make(const std::string& method,
                                                                       const text_fields& numbers, int threads) {
  return any_picture_detector{detail::find_picture_maker(method)(numbers, cpu_engine{threads})};
}
ANODIFF_DETAIL_RUNTIME any_picture_detector any_picture_detector::load(const std::string& path, int threads) {
  return load(formats::read_safetensors(path), threads);
}
ANODIFF_DETAIL_RUNTIME any_picture_detector any_picture_detector::load(const formats::safetensors_file& file,
                                                                       int threads) {
  const std::string method = method_of(file);
  std::unique_ptr<detail::erased_picture_detector> held;
  detail::as_data_error(file.name, [&] { held = detail::find_picture_maker(method)({}, cpu_engine{threads}); });
  held->open(file);
  return any_picture_detector{std::move(held)};
}

#undef ANODIFF_DETAIL_RUNTIME

}  // namespace anodiff
