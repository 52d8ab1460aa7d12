// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/scorers/neighbour_distance.hpp>

namespace anodiff::methods {

struct knn_preset : preset {
  static constexpr std::string_view name = "knn";
};

/// The distance to the five nearest training rows, its mean (Angiulli & Pizzuti 2002) or, with scorer.reduction kth,
/// the fifth (Ramaswamy et al. 2000): the zero-noise limit of the empirical denoiser, and the bar for rows.
template <engine Engine>
using knn = detector<knn_preset, models::knn<Engine>, scorers::neighbour_distance>;

}  // namespace anodiff::methods
