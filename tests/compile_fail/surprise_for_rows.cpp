// expect-error: this aggregation adds up rarities, which a picture detector alone makes of its views
// SPDX-License-Identifier: Apache-2.0
#include <anodiff/aggregation/sum.hpp>
#include <anodiff/aggregation/surprise.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/scorers/neighbour_distance.hpp>

#ifdef ANODIFF_GOOD
using aggregation = anodiff::aggregation::sum;
#else
using aggregation = anodiff::aggregation::surprise;
#endif

template class anodiff::basic_detector<anodiff::parts<anodiff::default_parts, anodiff::models::knn<anodiff::cpu_engine>,
                                                      anodiff::scorers::neighbour_distance, aggregation>>;
