// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/progress.hpp>
#include <anodiff/formats/column.hpp>
#include <string>
#include <vector>

namespace anodiff {

/// Behind the name of a checkpoint: that of the network for coarser scales, where a detector of pictures has one.
inline constexpr std::string_view coarse_checkpoint = ".coarse";

/// What a fit is given beside the rows.
struct fit_options {
  progress_callback progress{};
  std::vector<std::string> columns{};  ///< names of the columns, for messages and for matching at scoring time
  std::vector<formats::column_schema> schema{};  ///< of the columns; empty = all numeric
  std::string checkpoint{};        ///< file to which training is saved, now and then and at its end, whatever ended
                                   ///< it, and from which it goes on; empty = none
  double checkpoint_seconds = 30;  ///< between two writes
};

/// What is known of a fitted detector beside its model.
struct fit_record {
  index rows = 0;              ///< given to fit
  index train_rows = 0;        ///< learned from
  index validation_rows = 0;   ///< measured training, or gave the views' statistics
  index calibration_rows = 0;  ///< gave the p-values
  index steps = 0;             ///< optimiser steps done; 0 for models that remember
  double loss = 0;             ///< of training, running mean at its end
  double validation = 0;       ///< last validation loss
  std::vector<std::string> columns;
  std::vector<formats::column_schema> schema;  ///< as it was given to fit

  static constexpr void fields(auto& self, auto&& field) {
    field("rows", self.rows);
    field("train_rows", self.train_rows);
    field("validation_rows", self.validation_rows);
    field("calibration_rows", self.calibration_rows);
    field("steps", self.steps);
    field("loss", self.loss);
    field("validation", self.validation);
  }
};

}  // namespace anodiff
