// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/pipeline/picture_file.hpp>
#include <anodiff/runtime/erased_picture_detector.hpp>

namespace anodiff::detail {

template <class Detector>
class erased_pictures final : public erased_picture_detector {
 public:
  using options = typename Detector::options;
  erased_pictures(const text_fields& numbers, const cpu_engine& machine) : detector_{assigned(numbers), machine} {}

  [[nodiscard]] std::unique_ptr<erased_picture_detector> clone() const override {
    return std::make_unique<erased_pictures>(*this);
  }
  void fit(const picture_list& pictures, const fit_options& how) override { detector_.fit(pictures, how); }
  [[nodiscard]] picture_finding score(tensor_view<const float, 3> picture, std::string_view name) const override {
    return detector_.score(picture, name);
  }
  void calibrate(const picture_list& pictures, double alpha, const progress_callback& report) override {
    auto numbers = detector_.numbers().calibration;
    numbers.alpha = alpha;
    detector_.calibrate(pictures, numbers, report);
  }
  void narrow(picture_focus to) override { detector_.narrow(std::move(to)); }
  [[nodiscard]] tensor<std::uint8_t, 2> counted(index height, index width) const override {
    return detector_.counted(height, width);
  }
  [[nodiscard]] index minimum_area() const override { return detector_.numbers().picture.minimum_area; }
  [[nodiscard]] std::vector<tensor<float, 2>> maps_by_scale(tensor_view<const float, 3> picture,
                                                            std::string_view name) const override {
    return detector_.maps_by_scale(picture, name);
  }
  [[nodiscard]] std::optional<double> p_value(double score) const override { return detector_.p_value(score); }
  void save(const std::string& path) const override { detector_.save(path); }
  void open(const formats::safetensors_file& file) override { detector_.open(file); }
  [[nodiscard]] std::string method() const override { return std::string{Detector::parts_type::preset_type::name}; }
  [[nodiscard]] text_fields numbers() const override { return to_text(detector_.numbers()); }
  [[nodiscard]] fit_record record() const override { return detector_.record(); }
  [[nodiscard]] std::optional<double> promised_rate() const override { return detector_.promised_rate(); }
  [[nodiscard]] std::optional<double> threshold() const override { return detector_.threshold(); }
  [[nodiscard]] std::span<const double> calibration_scores() const override { return detector_.calibration_scores(); }

 private:
  static options assigned(const text_fields& numbers) {
    options out;
    for (const auto& [name, text] : numbers) assign(out, name, text);
    return out;
  }
  Detector detector_;
};

/// In the library anodiff::presets each is compiled apart, in the files of cmake/instances.
template <class Detector>
[[nodiscard]] std::unique_ptr<erased_picture_detector> make_erased_pictures(const text_fields& numbers,
                                                                            const cpu_engine& machine)
#ifdef ANODIFF_COMPILING_PRESETS
    ;
#else
{
  return std::make_unique<erased_pictures<Detector>>(numbers, machine);
}
#endif

}  // namespace anodiff::detail
