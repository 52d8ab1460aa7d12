// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/pipeline/picture_file.hpp>
#include <anodiff/pooling/max.hpp>
#include <anodiff/preprocessing/centered.hpp>

namespace anodiff {

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
