// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/activation_cpu.hpp>
#include <anodiff/ops/adamw_cpu.hpp>
#include <anodiff/ops/combine_cpu.hpp>
#include <anodiff/ops/dropout_cpu.hpp>
#include <anodiff/ops/elementwise_cpu.hpp>
#include <anodiff/ops/kernel_average_cpu.hpp>
#include <anodiff/ops/kernel_energy_cpu.hpp>
#include <anodiff/ops/layer_norm_cpu.hpp>
#include <anodiff/ops/level_stack_cpu.hpp>
#include <anodiff/ops/linear_cpu.hpp>
#include <anodiff/ops/local_gaussian_cpu.hpp>
#include <anodiff/ops/nearest_cpu.hpp>
#include <anodiff/ops/noise_cpu.hpp>
#include <anodiff/ops/row_distance_cpu.hpp>
#include <anodiff/ops/squared_error_cpu.hpp>
#include <anodiff/ops/time_features_cpu.hpp>
#include <memory>

namespace anodiff {

/// Runs operations on the cores of this machine. `cpu_engine` computes in float; double serves to check gradients.
template <class T>
class basic_cpu_engine {
 public:
  using real = T;
  using buffer = aligned_vector<T>;
  using weight = ops::cpu::packed_matrix<T>;
  static constexpr std::string_view name = "cpu";

  /// threads counts the caller; 0 takes one for each core.
  explicit basic_cpu_engine(int threads = 0) : pool_{std::make_shared<thread_pool>(threads)} {}

  [[nodiscard]] thread_pool& pool() const noexcept { return *pool_; }
  [[nodiscard]] int threads() const noexcept { return pool_->threads(); }

  template <class Operation>
  void run(const Operation& operation) const {
    ops::cpu::run(operation, *pool_);
  }

  [[nodiscard]] buffer allocate(index count) const { return buffer(static_cast<std::size_t>(count)); }
  [[nodiscard]] weight prepare_weight(const T* values, index in, index out) const {
    weight w{in, out};
    w.pack({values, out, 1});
    return w;
  }
  /// The same from values stored as (out, in).
  [[nodiscard]] weight prepare_transposed(const T* values, index in, index out) const {
    weight w{in, out};
    w.pack({values, 1, in});
    return w;
  }
  void refresh_weight(weight& prepared, const T* values) const noexcept { prepared.pack({values, prepared.n(), 1}); }

 private:
  std::shared_ptr<thread_pool> pool_;
};

using cpu_engine = basic_cpu_engine<float>;
static_assert(engine<cpu_engine>);

}  // namespace anodiff
