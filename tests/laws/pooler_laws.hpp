// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pooling/block_mean.hpp>
#include <anodiff/pooling/max.hpp>
#include <anodiff/pooling/mean.hpp>
#include <anodiff/pooling/top_k.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_poolers =
    std::tuple<anodiff::pooling::mean, anodiff::pooling::max, anodiff::pooling::top_k, anodiff::pooling::block_mean>;

/// The laws of concepts/pooler.hpp on seeded evidence.
template <anodiff::pooler P>
void check_pooler(const P& pooler) {
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 2, 3, 32, 257}) {
    INFO(size << " elements");
    std::vector<float> evidence(size);
    for (std::size_t i = 0; i < size; ++i) evidence[i] = static_cast<float>(uniform(size, i, 0, 4));
    const double before = pooler.pool(evidence);

    auto moved = evidence;
    std::reverse(moved.begin(), moved.end());
    CHECK(pooler.pool(moved) == Approx(before).epsilon(1e-14));

    for (std::size_t i = 0; i < size; ++i) {
      auto raised = evidence;
      raised[i] += 0.5F;
      CHECK(pooler.pool(raised) >= before);
    }
    for (const float constant : {0.0F, 0.1F, 3e30F})
      CHECK(pooler.pool(std::vector<float>(size, constant)) == Approx(static_cast<double>(constant)).epsilon(1e-14));
  }
}

}  // namespace laws
