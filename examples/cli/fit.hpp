// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/fit_options.hpp>
#include <chrono>

#include "command.hpp"
#include "console.hpp"
#include "json.hpp"

namespace anodiff::cli {

struct fit_flags {
  common_flags common;
  data_flags data;
  number_flags numbers;
  std::string method, out, checkpoint;
  double checkpoint_seconds = 30;
  bool mixed = false, skip_bad = false;
  focus_flags focus;
};

/// The value of a method's number; empty where it has none of that name.
[[nodiscard]] std::string number_of(const text_fields& numbers, std::string_view name);

/// Shows how far a fit has come. The first Ctrl-C ends training alone: what was trained is worth its calibration.
class fit_watch {
 public:
  /// limit: seconds of training; 0 = none.
  fit_watch(console& out, double limit) : out_{out}, limit_{limit} {}
  bool operator()(const progress& p);
  /// What ended the training early; empty where nothing did. `wanted` is the number training.steps.
  [[nodiscard]] std::string stopped_by(index steps, const std::string& wanted) const;
  [[nodiscard]] double seconds() const;

 private:
  console& out_;
  double limit_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool stopped_ = false, trained_ = false;
  interruptible scope_{};
};

/// What every fit says, of rows or of pictures.
struct fit_outcome {
  std::string method, stopped_by, unit;  ///< unit: what was learned from, in the plural
  fit_record record;
  std::optional<double> promised, threshold;
  double seconds = 0;

  [[nodiscard]] json document(const std::string& model) const;
  /// head: the first line, after the method's name and a colon.
  [[nodiscard]] std::string text(const std::string& head, const std::string& model) const;
};
template <class Detector>
[[nodiscard]] fit_outcome outcome_of(const Detector& made, const fit_watch& watch, std::string unit) {
  return {.method = made.method(),
          .stopped_by = watch.stopped_by(made.record().steps, number_of(made.numbers(), "training.steps")),
          .unit = std::move(unit),
          .record = made.record(),
          .promised = made.promised_rate(),
          .threshold = made.threshold(),
          .seconds = watch.seconds()};
}

/// The fit of a folder of pictures.
void fit_pictures(const fit_flags& flags);

}  // namespace anodiff::cli
