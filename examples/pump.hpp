// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <string>
#include <vector>

/// The data of the lessons: a pump with six sensors, whose readings follow from its speed and its load.
namespace pump {

inline const std::vector<std::string> columns{"speed", "load", "current", "flow", "temperature", "vibration"};
inline constexpr anodiff::index temperature = 4;

/// n rows, (n, 6). In a faulty row the temperature does not fit speed and load, though by itself it stays in range.
/// seed names the rows: the same seed gives the same rows on every machine.
[[nodiscard]] inline anodiff::tensor<double, 2> rows(anodiff::index n, std::uint64_t seed, bool faulty = false) {
  anodiff::tensor<double, 2> x{{n, static_cast<anodiff::index>(columns.size())}};
  for (anodiff::index i = 0; i < n; ++i) {
    const anodiff::noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(i)};
    const double speed = anodiff::random_normal(key, 0), load = anodiff::random_normal(key, 1);
    const auto noise = [&](std::uint64_t sensor) { return 0.1 * anodiff::random_normal(key, 2 + sensor); };
    double heat = 0.7 * speed + 0.7 * load + noise(2);
    if (faulty) heat += heat > 0 ? -2 : 2;
    x(i, 0) = 1500 + 200 * speed;                                       // turns a minute
    x(i, 1) = 40 + 8 * load;                                            // per cent
    x(i, 2) = 12 + 2 * (0.4 * speed + 0.9 * load + noise(0));           // ampere
    x(i, 3) = 30 + 4 * (speed + noise(1));                              // litres a second
    x(i, 4) = 60 + 4 * heat;                                            // degrees Celsius
    x(i, 5) = 2 + 0.3 * (0.8 * speed * speed + 0.4 * load + noise(3));  // millimetres a second
  }
  return x;
}

/// Two tables, (a + b, d): the rows of a, then those of b.
[[nodiscard]] inline anodiff::tensor<double, 2> joined(const anodiff::tensor<double, 2>& a,
                                                       const anodiff::tensor<double, 2>& b) {
  anodiff::tensor<double, 2> x{{a.rows() + b.rows(), a.row_size()}};
  std::copy(b.flat().begin(), b.flat().end(), std::copy(a.flat().begin(), a.flat().end(), x.flat().begin()));
  return x;
}

}  // namespace pump
