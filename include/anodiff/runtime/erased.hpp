// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/pipeline/model_file.hpp>
#include <anodiff/preprocessing/mixed.hpp>
#include <anodiff/runtime/erased_detector.hpp>

namespace anodiff::detail {

template <class Detector>
class erased final : public erased_detector {
 public:
  using options = typename Detector::options;
  erased(const text_fields& numbers, const cpu_engine& machine) : detector_{assigned(numbers), machine} {}

  [[nodiscard]] std::unique_ptr<erased_detector> clone() const override { return std::make_unique<erased>(*this); }
  void fit(tensor_view<const double, 2> x, const fit_options& how) override { detector_.fit(x, how); }
  [[nodiscard]] detection score(tensor_view<const double, 2> x, bool evidence,
                                const progress_callback& report) const override {
    return detector_.score(x, evidence, report);
  }
  void calibrate(tensor_view<const double, 2> x, double alpha) override {
    auto numbers = detector_.numbers().calibration;
    numbers.alpha = alpha;
    detector_.calibrate(x, numbers);
  }
  void save(const std::string& path) const override { detector_.save(path); }
  void open(const formats::safetensors_file& file) override { detector_.open(file); }
  [[nodiscard]] std::string method() const override { return std::string{Detector::parts_type::preset_type::name}; }
  [[nodiscard]] text_fields numbers() const override { return to_text(detector_.numbers()); }
  [[nodiscard]] fit_record record() const override { return detector_.record(); }
  [[nodiscard]] std::optional<double> promised_rate() const override { return detector_.promised_rate(); }
  [[nodiscard]] std::optional<double> threshold() const override { return detector_.threshold(); }
  [[nodiscard]] index network_calls() const override { return detector_.network_calls(); }
  [[nodiscard]] bool holds_training_rows() const override { return memory<typename Detector::model_type>; }
  [[nodiscard]] row_values values() const override {
    return handles_missing<typename Detector::preprocessor_type> ? row_values::mixed : row_values::numbers;
  }
  [[nodiscard]] std::span<const double> column_means() const override { return detector_.preprocessing().offset(); }
  [[nodiscard]] std::span<const double> column_scales() const override { return detector_.preprocessing().scale(); }

 private:
  static options assigned(const text_fields& numbers) {
    options out;
    for (const auto& [name, text] : numbers) assign(out, name, text);
    return out;
  }
  Detector detector_;
};

template <class Parts>
struct mixed_parts : Parts {
  using preprocessor_type = preprocessing::mixed;
};
/// A method for rows of numbers, categories and gaps.
template <class Detector>
using mixed = basic_detector<mixed_parts<typename Detector::parts_type>>;

/// In the library anodiff::presets each is compiled apart, in the files of cmake/instances.
template <class Detector>
[[nodiscard]] std::unique_ptr<erased_detector> make_erased(const text_fields& numbers, const cpu_engine& machine)
#ifdef ANODIFF_COMPILING_PRESETS
    ;
#else
{
  return std::make_unique<erased<Detector>>(numbers, machine);
}
#endif

}  // namespace anodiff::detail
