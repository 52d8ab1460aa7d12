// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/parameters.hpp>
#include <anodiff/core/progress.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/pipeline/detection.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace anodiff::formats {
class safetensors_file;
}

namespace anodiff {

/// A method that can be asked for by name.
struct method_entry {
  std::string name;
  std::string summary;  ///< one line: what it does, and whose it is
};

/// What the rows that a method learns from hold: numbers alone, or also categories and gaps.
enum class row_values { numbers, mixed };

namespace detail {

/// What any_detector asks of a detector of any type; one virtual call a batch.
class erased_detector {
 public:
  virtual ~erased_detector() = default;
  [[nodiscard]] virtual std::unique_ptr<erased_detector> clone() const = 0;
  virtual void fit(tensor_view<const double, 2> x, const fit_options& how) = 0;
  [[nodiscard]] virtual detection score(tensor_view<const double, 2> x, bool evidence,
                                        const progress_callback& report) const = 0;
  virtual void calibrate(tensor_view<const double, 2> x, double alpha) = 0;
  virtual void save(const std::string& path) const = 0;
  virtual void open(const formats::safetensors_file& file) = 0;
  [[nodiscard]] virtual std::string method() const = 0;
  [[nodiscard]] virtual text_fields numbers() const = 0;
  [[nodiscard]] virtual fit_record record() const = 0;
  [[nodiscard]] virtual std::optional<double> promised_rate() const = 0;
  [[nodiscard]] virtual std::optional<double> threshold() const = 0;
  [[nodiscard]] virtual index network_calls() const = 0;
  [[nodiscard]] virtual bool holds_training_rows() const = 0;
  [[nodiscard]] virtual row_values values() const = 0;
  [[nodiscard]] virtual std::span<const double> column_means() const = 0;
  [[nodiscard]] virtual std::span<const double> column_scales() const = 0;
};

}  // namespace detail

/// A detector for rows whose method is chosen at run time. It reads like a detector, and gives the same bits as the one
/// that is written out with its policies.
class any_detector {
 public:
  /// All methods by name.
  [[nodiscard]] static std::vector<method_entry> methods();
  /// A method with its own numbers, some of them set by name, on that many threads (0 = one a core). Throws
  /// invalid_argument for an unknown method or number, or one that takes no mixed rows; the message lists those there
  /// are. For mixed rows the method's preprocessing is preprocessing::mixed.
  [[nodiscard]] static any_detector make(const std::string& method, const text_fields& numbers = {}, int threads = 0,
                                         row_values values = row_values::numbers);
  /// What save() wrote, whatever method it holds. Throws data_error for a damaged file, or one of a newer version.
  [[nodiscard]] static any_detector load(const std::string& path, int threads = 0);
  /// The same from a file that is in memory: see formats::parse_safetensors.
  [[nodiscard]] static any_detector load(const formats::safetensors_file& file, int threads = 0);

  any_detector(const any_detector& other) : held_{other.held_->clone()} {}
  any_detector(any_detector&&) noexcept = default;
  any_detector& operator=(any_detector other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }

  /// See basic_detector for all of these.
  void fit(tensor_view<const double, 2> x, const fit_options& how = {}) { held_->fit(x, how); }
  [[nodiscard]] detection score(tensor_view<const double, 2> x, bool evidence = true,
                                const progress_callback& report = {}) const {
    return held_->score(x, evidence, report);
  }
  void calibrate(tensor_view<const double, 2> normals, double alpha) { held_->calibrate(normals, alpha); }
  void save(const std::string& path) const { held_->save(path); }

  [[nodiscard]] std::string method() const { return held_->method(); }
  [[nodiscard]] text_fields numbers() const { return held_->numbers(); }
  [[nodiscard]] fit_record record() const { return held_->record(); }
  [[nodiscard]] std::optional<double> promised_rate() const { return held_->promised_rate(); }
  [[nodiscard]] std::optional<double> threshold() const { return held_->threshold(); }
  [[nodiscard]] index network_calls() const { return held_->network_calls(); }
  [[nodiscard]] bool holds_training_rows() const { return held_->holds_training_rows(); }
  [[nodiscard]] row_values values() const { return held_->values(); }
  /// What a column's preprocessing subtracts and divides by: the mean and standard deviation of its normal values.
  [[nodiscard]] std::span<const double> column_means() const { return held_->column_means(); }
  [[nodiscard]] std::span<const double> column_scales() const { return held_->column_scales(); }

 private:
  explicit any_detector(std::unique_ptr<detail::erased_detector> held) : held_{std::move(held)} {}
  std::unique_ptr<detail::erased_detector> held_;
};

}  // namespace anodiff
