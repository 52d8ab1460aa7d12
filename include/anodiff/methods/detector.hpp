// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/mean.hpp>
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/conditioning/none.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/grids/trailing.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/detector_fit.hpp>
#include <anodiff/pipeline/model_file.hpp>
#include <anodiff/pooling/mean.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/preprocessing/standardize.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/schedules/linear.hpp>

namespace anodiff {

/// Plain Gaussian training with a mean squared error.
using gaussian_recipe = recipe<corruptions::gaussian, objectives::squared_error>;

/// What a detector takes where its list names nothing else.
struct default_parts {
  using schedule_type = schedules::linear;
  using grid_type = grids::trailing;
  using prediction_type = predictions::epsilon;
  using sampler_type = samplers::ddim;
  using conditioner_type = conditioning::none;
  using aggregator_type = aggregation::mean;
  using pooler_type = pooling::mean;
  using calibrator_type = calibration::conformal;
  using preprocessor_type = preprocessing::standardize;
  using recipe_type = gaussian_recipe;
};

/// A detector of the given policies, in any order: a model and a scorer at least; see basic_detector.
template <class... Policies>
using detector = basic_detector<parts<default_parts, Policies...>>;

}  // namespace anodiff
