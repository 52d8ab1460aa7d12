// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/preprocessing/identity.hpp>
#include <anodiff/preprocessing/standardize.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_preprocessors = std::tuple<anodiff::preprocessing::standardize, anodiff::preprocessing::identity>;

/// invert(apply(x)) = x to float accuracy; offset and scale describe every column and make the same map again.
template <anodiff::preprocessor P>
void check_preprocessor(const P& preprocessor, anodiff::tensor_view<const double, 2> x) {
  const auto fitted = preprocessor.fit(x);
  const auto d = static_cast<std::size_t>(x.row_size());
  REQUIRE(fitted.offset().size() == d);
  REQUIRE(fitted.scale().size() == d);
  for (std::size_t j = 0; j < d; ++j) {
    CHECK(std::isfinite(fitted.offset()[j]));
    CHECK(fitted.scale()[j] > 0);
  }
  const typename P::fitted again{{fitted.offset().begin(), fitted.offset().end()},
                                 {fitted.scale().begin(), fitted.scale().end()}};
  std::vector<float> z(d), other(d);
  double worst = 0;
  bool same = true;
  for (index i = 0; i < x.rows(); ++i) {
    fitted.apply(x.row(i), z);
    again.apply(x.row(i), other);
    same = same && z == other;
    for (std::size_t j = 0; j < d; ++j) {
      const double raw = x.row(i)[j], back = fitted.invert(static_cast<index>(j), z[j]);
      const double most = std::abs(raw - fitted.offset()[j]) * 6e-8 + std::abs(raw) * 4 * ulp;
      worst = std::max(worst, std::abs(back - raw) - most);
    }
  }
  CHECK(worst <= 0);
  CHECK(same);
}

}  // namespace laws
