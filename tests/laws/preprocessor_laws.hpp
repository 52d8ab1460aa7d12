// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/preprocessing/centered.hpp>
#include <anodiff/preprocessing/classes.hpp>
#include <anodiff/preprocessing/gapped.hpp>
#include <anodiff/preprocessing/identity.hpp>
#include <anodiff/preprocessing/local_contrast.hpp>
#include <anodiff/preprocessing/mixed.hpp>
#include <anodiff/preprocessing/standardize.hpp>
#include <map>

#include "policy_laws.hpp"

namespace laws {

using all_preprocessors =
    std::tuple<anodiff::preprocessing::standardize, anodiff::preprocessing::identity, anodiff::preprocessing::mixed,
               anodiff::preprocessing::gapped, anodiff::preprocessing::classes>;
using all_picture_preprocessors = std::tuple<anodiff::preprocessing::centered, anodiff::preprocessing::local_contrast>;

template <class F>
[[nodiscard]] F stored_and_restored(const F& fitted, index d) {
  std::map<std::string, std::vector<double>, std::less<>> tables;
  fitted.tensors([&](std::string_view name, std::span<const double> values) {
    tables.emplace(std::string{name}, std::vector<double>{values.begin(), values.end()});
  });
  return F::restored(d, [&](std::string_view name, index count) {
    const auto& found = tables[std::string{name}];
    REQUIRE((count < 0 || static_cast<index>(found.size()) == count));
    return found;
  });
}

/// invert(apply(x)) = x to float accuracy; offset and scale describe every column, and what is stored makes the same
/// map again. Of a preprocessor that widens, the first output of a numeric column is its value.
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
  const auto again = [&]() -> typename P::fitted {
    if constexpr (anodiff::widens<P>)
      return stored_and_restored(fitted, x.row_size());
    else
      return {{fitted.offset().begin(), fitted.offset().end()}, {fitted.scale().begin(), fitted.scale().end()}};
  }();
  std::vector<index> value(d);  // output that holds a column's value
  for (std::size_t j = 0; j < d; ++j) value[j] = static_cast<index>(j);
  std::size_t outputs = d;
  if constexpr (anodiff::widens<P>) {
    outputs = static_cast<std::size_t>(fitted.outputs());
    std::vector<bool> found(d);
    for (index o = fitted.outputs(); o-- > 0;) {
      REQUIRE(fitted.origin(o) < x.row_size());
      value[static_cast<std::size_t>(fitted.origin(o))] = o;
      found[static_cast<std::size_t>(fitted.origin(o))] = true;
    }
    CHECK(std::ranges::count(found, false) == 0);
  }
  std::vector<float> z(outputs), other(outputs);
  double worst = 0;
  bool same = true;
  for (index i = 0; i < x.rows(); ++i) {
    fitted.apply(x.row(i), z);
    again.apply(x.row(i), other);
    same = same && z == other;
    for (std::size_t j = 0; j < d; ++j) {
      const double raw = x.row(i)[j], back = fitted.invert(value[j], z[static_cast<std::size_t>(value[j])]);
      const double most = std::abs(raw - fitted.offset()[j]) * 6e-8 + std::abs(raw) * 4 * ulp;
      worst = std::max(worst, std::abs(back - raw) - most);
    }
  }
  CHECK(worst <= 0);
  CHECK(same);
}

}  // namespace laws
