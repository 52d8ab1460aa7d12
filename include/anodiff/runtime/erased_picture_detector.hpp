// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/picture_detection.hpp>
#include <anodiff/runtime/erased_detector.hpp>

namespace anodiff {

namespace detail {

/// What any_picture_detector asks of a picture detector of any type.
class erased_picture_detector {
 public:
  virtual ~erased_picture_detector() = default;
  [[nodiscard]] virtual std::unique_ptr<erased_picture_detector> clone() const = 0;
  virtual void fit(const picture_list& pictures, const fit_options& how) = 0;
  [[nodiscard]] virtual picture_finding score(tensor_view<const float, 3> picture, std::string_view name) const = 0;
  virtual void calibrate(const picture_list& pictures, double alpha, const progress_callback& report) = 0;
  virtual void narrow(picture_focus to) = 0;
  [[nodiscard]] virtual tensor<std::uint8_t, 2> counted(index height, index width) const = 0;
  [[nodiscard]] virtual index minimum_area() const = 0;
  [[nodiscard]] virtual std::vector<tensor<float, 2>> maps_by_scale(tensor_view<const float, 3> picture,
                                                                    std::string_view name) const = 0;
  [[nodiscard]] virtual std::optional<double> p_value(double score) const = 0;
  virtual void save(const std::string& path) const = 0;
  virtual void open(const formats::safetensors_file& file) = 0;
  [[nodiscard]] virtual std::string method() const = 0;
  [[nodiscard]] virtual text_fields numbers() const = 0;
  [[nodiscard]] virtual fit_record record() const = 0;
  [[nodiscard]] virtual std::optional<double> promised_rate() const = 0;
  [[nodiscard]] virtual std::optional<double> threshold() const = 0;
  [[nodiscard]] virtual std::span<const double> calibration_scores() const = 0;
};

}  // namespace detail

/// A detector of pictures whose method is chosen at run time. It reads like a picture detector, and gives the same bits
/// as the one that is written out with its policies.
class any_picture_detector {
 public:
  /// All methods for pictures by name.
  [[nodiscard]] static std::vector<method_entry> methods();
  [[nodiscard]] static bool knows(std::string_view method) noexcept;
  /// A method with its own numbers, some of them set by name, on that many threads (0 = one a core). Throws
  /// invalid_argument for an unknown method or number; the message lists those there are.
  [[nodiscard]] static any_picture_detector make(const std::string& method, const text_fields& numbers = {},
                                                 int threads = 0);
  /// What save() wrote, whatever method it holds. Throws data_error for a damaged file, or one of a newer version.
  [[nodiscard]] static any_picture_detector load(const std::string& path, int threads = 0);
  [[nodiscard]] static any_picture_detector load(const formats::safetensors_file& file, int threads = 0);

  any_picture_detector(const any_picture_detector& other) : held_{other.held_->clone()} {}
  any_picture_detector(any_picture_detector&&) noexcept = default;
  any_picture_detector& operator=(any_picture_detector other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }

  /// See basic_picture_detector for all of these.
  void fit(const picture_list& pictures, const fit_options& how = {}) { held_->fit(pictures, how); }
  [[nodiscard]] picture_finding score(tensor_view<const float, 3> picture,
                                      std::string_view name = "the picture") const {
    return held_->score(picture, name);
  }
  void calibrate(const picture_list& normals, double alpha, const progress_callback& report = {}) {
    held_->calibrate(normals, alpha, report);
  }
  void narrow(picture_focus to) { held_->narrow(std::move(to)); }
  [[nodiscard]] tensor<std::uint8_t, 2> counted(index height, index width) const {
    return held_->counted(height, width);
  }
  [[nodiscard]] index minimum_area() const { return held_->minimum_area(); }
  [[nodiscard]] std::vector<tensor<float, 2>> maps_by_scale(tensor_view<const float, 3> picture,
                                                            std::string_view name = "the picture") const {
    return held_->maps_by_scale(picture, name);
  }
  [[nodiscard]] std::optional<double> p_value(double score) const { return held_->p_value(score); }
  void save(const std::string& path) const { held_->save(path); }

  [[nodiscard]] std::string method() const { return held_->method(); }
  [[nodiscard]] text_fields numbers() const { return held_->numbers(); }
  [[nodiscard]] fit_record record() const { return held_->record(); }
  [[nodiscard]] std::optional<double> promised_rate() const { return held_->promised_rate(); }
  [[nodiscard]] std::optional<double> threshold() const { return held_->threshold(); }
  [[nodiscard]] std::span<const double> calibration_scores() const { return held_->calibration_scores(); }

 private:
  explicit any_picture_detector(std::unique_ptr<detail::erased_picture_detector> held) : held_{std::move(held)} {}
  std::unique_ptr<detail::erased_picture_detector> held_;
};

}  // namespace anodiff
