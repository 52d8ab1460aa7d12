// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/ddae.hpp>
#include <anodiff/methods/ddpm_ood.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/methods/diffpath.hpp>
#include <anodiff/methods/dte_c.hpp>
#include <anodiff/methods/dte_gaussian.hpp>
#include <anodiff/methods/dte_ig.hpp>
#include <anodiff/methods/dte_np.hpp>
#include <anodiff/methods/elbo.hpp>
#include <anodiff/methods/empirical_em.hpp>
#include <anodiff/methods/knn.hpp>
#include <anodiff/methods/likelihood.hpp>
#include <anodiff/methods/local_gaussian.hpp>
#include <anodiff/methods/mixed_diffusion.hpp>
#include <anodiff/methods/msma.hpp>
#include <anodiff/methods/rows_composite.hpp>
#include <anodiff/methods/rows_default.hpp>
#include <anodiff/methods/score_norm.hpp>
#include <anodiff/methods/tabadm.hpp>
#include <anodiff/runtime/erased.hpp>
#include <array>

// The one place that knows all names. The functions are inline where a program is header-only, and compiled once where
// it links anodiff::presets.
namespace anodiff {

namespace detail {

using maker = std::unique_ptr<erased_detector> (*)(const text_fields&, const cpu_engine&);
struct named_method {
  std::string_view name, summary;
  maker make, make_mixed;  ///< null where the method takes numbers alone
};
template <class Detector>
[[nodiscard]] constexpr named_method method_of(std::string_view summary) {
  return {Detector::parts_type::preset_type::name, summary, make_erased<Detector>, nullptr};
}
/// One that also takes mixed rows.
template <class Detector>
[[nodiscard]] constexpr named_method mixed_method_of(std::string_view summary) {
  auto out = method_of<Detector>(summary);
  out.make_mixed = make_erased<mixed<Detector>>;
  return out;
}

/// One whose own preprocessing takes them.
template <class Detector>
[[nodiscard]] constexpr named_method own_mixed_method_of(std::string_view summary) {
  auto out = method_of<Detector>(summary);
  out.make_mixed = out.make;
  return out;
}

inline constexpr std::array known_methods{
    method_of<methods::ddae<cpu_engine>>("error of a denoising autoencoder at five low noise levels (2025)"),
    method_of<methods::ddpm_ood<cpu_engine>>("rebuilds from twenty noise levels, z-scored (Graham et al. 2023)"),
    mixed_method_of<methods::ddpm_reconstruction<cpu_engine>>(
        "distance to what a diffusion model rebuilds (Livernoche et al. 2023, DDPM baseline)"),
    mixed_method_of<methods::denoising_error<cpu_engine>>(
        "noise-prediction error at ten levels, z-scored (Ho et al. 2020)"),
    method_of<methods::diffpath<cpu_engine>>("six statistics of the path to noise, z-scored (Heng et al. 2024)"),
    method_of<methods::dte_c<cpu_engine>>(
        "diffusion time told by a network, in seven classes (Livernoche et al. 2023)"),
    method_of<methods::dte_gaussian<cpu_engine>>(
        "diffusion time told by a network, as a number (Livernoche et al. 2023)"),
    method_of<methods::dte_ig<cpu_engine>>(
        "noise variance told by a network, as an inverse gamma law (Livernoche et al. 2023)"),
    mixed_method_of<methods::dte_np<cpu_engine>>(
        "diffusion time from the ten nearest normal rows (Livernoche et al. 2023)"),
    method_of<methods::elbo<cpu_engine>>("variational bound on the negative log density (Kingma et al. 2021)"),
    method_of<methods::empirical_em<cpu_engine>>("energy of the exact denoiser, its noise level fitted per column"),
    mixed_method_of<methods::knn<cpu_engine>>(
        "mean distance to the five nearest normal rows (Angiulli & Pizzuti 2002)"),
    method_of<methods::likelihood<cpu_engine>>("negative log density by the probability-flow ODE (Song et al. 2021)"),
    method_of<methods::local_gaussian<cpu_engine>>("a Gaussian around the fifteen nearest normal rows"),
    own_mixed_method_of<methods::mixed_diffusion<cpu_engine>>(
        "Gaussian noise on numbers, multinomial on categories: how wrong and how surprised a network is (Kotelnikov et "
        "al. 2022)"),
    method_of<methods::msma<cpu_engine>>(
        "norms of the score at ten noise levels, and their joint density (Mahmood et al. 2021)"),
    method_of<methods::rows_composite<cpu_engine>>(
        "empirical_em, and local_gaussian where that finds a row very unusual"),
    mixed_method_of<methods::rows_default<cpu_engine>>(
        "what to take for rows when nothing is known about them: rows_composite"),
    method_of<methods::score_norm<cpu_engine>>("norm of the score at ten noise levels, z-scored (Mahmood et al. 2021)"),
    method_of<methods::tabadm<cpu_engine>>(
        "summed noise-prediction error, for training rows that hold anomalies (Zamberg et al. 2023)"),
};

[[nodiscard]] inline const named_method& find_method(const std::string& name) {
  std::string known;
  for (const auto& method : known_methods) {
    if (method.name == name) return method;
    known += concat(known.empty() ? "" : ", ", method.name);
  }
  throw invalid_argument(concat("no method is called '", name, "'; there are ", known));
}

[[nodiscard]] inline maker find_maker(const std::string& name, row_values values) {
  const auto& method = find_method(name);
  if (values == row_values::numbers) return method.make;
  std::string known;
  for (const auto& other : known_methods)
    if (other.make_mixed != nullptr) known += concat(known.empty() ? "" : ", ", other.name);
  check(method.make_mixed != nullptr, "the method '", name,
        "' takes numbers alone; rows with categories or gaps are for ", known);
  return method.make_mixed;
}

}  // namespace detail

#ifdef ANODIFF_COMPILING_PRESETS
#define ANODIFF_DETAIL_RUNTIME
#else
#define ANODIFF_DETAIL_RUNTIME inline
#endif

ANODIFF_DETAIL_RUNTIME std::vector<method_entry> any_detector::methods() {
  std::vector<method_entry> out;
  for (const auto& method : detail::known_methods)
    out.push_back({std::string{method.name}, std::string{method.summary}});
  return out;
}
ANODIFF_DETAIL_RUNTIME any_detector any_detector::make(const std::string& method, const text_fields& numbers,
                                                       int threads, row_values values) {
  return any_detector{detail::find_maker(method, values)(numbers, cpu_engine{threads})};
}
ANODIFF_DETAIL_RUNTIME any_detector any_detector::load(const std::string& path, int threads) {
  return load(formats::read_safetensors(path), threads);
}
ANODIFF_DETAIL_RUNTIME any_detector any_detector::load(const formats::safetensors_file& file, int threads) {
  const std::string method = method_of(file);
  check<data_error>(detail::format_of(file) < pictures_format, file.name, ": holds a detector of pictures, '", method,
                    "'; give it a folder of pictures (any_picture_detector)");
  const auto* named = file.find_metadata("policy.preprocessing");
  const bool mixed = named != nullptr && *named == preprocessing::mixed::name;
  std::unique_ptr<detail::erased_detector> held;
  detail::as_data_error(file.name, [&] {
    held = detail::find_maker(method, mixed ? row_values::mixed : row_values::numbers)({}, cpu_engine{threads});
  });
  held->open(file);
  return any_detector{std::move(held)};
}

#undef ANODIFF_DETAIL_RUNTIME

}  // namespace anodiff
