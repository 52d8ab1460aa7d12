// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/pipeline/picture_file.hpp>
#include <anodiff/pooling/max.hpp>
#include <anodiff/preprocessing/centered.hpp>

namespace anodiff {

/// How the small networks for pictures are trained: 4000 steps of 16 crops, each at a noise level of its own.
inline constexpr training_params picture_training{.steps = 4000,
                                                  .batch = 16,
                                                  .levels = 0,
                                                  .rate = 2e-3,
                                                  .warmup = 0.02,
                                                  .final_rate = 0.01,
                                                  .weight_decay = 0,
                                                  .beta_1 = 0.9,
                                                  .beta_2 = 0.99,
                                                  .clip = 1,
                                                  .average = 0.995,
                                                  .validation = 0};

/// What a picture detector takes where its list names nothing else.
struct default_picture_parts : default_parts {
  using pooler_type = pooling::max;
  using preprocessor_type = preprocessing::centered;
};

/// A detector of pictures of the given policies, in any order: a network and a scorer at least; see
/// basic_picture_detector.
template <class... Policies>
using picture_detector = basic_picture_detector<parts<default_picture_parts, Policies...>>;

}  // namespace anodiff
