// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/activation_cpu.hpp>
#include <anodiff/ops/adamw_cpu.hpp>
#include <anodiff/ops/affine_cpu.hpp>
#include <anodiff/ops/attention_cpu.hpp>
#include <anodiff/ops/batch_norm_cpu.hpp>
#include <anodiff/ops/blur_cpu.hpp>
#include <anodiff/ops/combine_cpu.hpp>
#include <anodiff/ops/concat_cpu.hpp>
#include <anodiff/ops/conv2d_cpu.hpp>
#include <anodiff/ops/dropout_cpu.hpp>
#include <anodiff/ops/dynamic_threshold_cpu.hpp>
#include <anodiff/ops/elementwise_cpu.hpp>
#include <anodiff/ops/fir_resample_cpu.hpp>
#include <anodiff/ops/gradient_distance_cpu.hpp>
#include <anodiff/ops/group_norm_cpu.hpp>
#include <anodiff/ops/kernel_average_cpu.hpp>
#include <anodiff/ops/kernel_energy_cpu.hpp>
#include <anodiff/ops/layer_norm_cpu.hpp>
#include <anodiff/ops/learned_noise_cpu.hpp>
#include <anodiff/ops/level_stack_cpu.hpp>
#include <anodiff/ops/linear_cpu.hpp>
#include <anodiff/ops/local_gaussian_cpu.hpp>
#include <anodiff/ops/mahalanobis_cpu.hpp>
#include <anodiff/ops/nearest_cpu.hpp>
#include <anodiff/ops/noise_cpu.hpp>
#include <anodiff/ops/pixel_sums_cpu.hpp>
#include <anodiff/ops/pseudo_huber_cpu.hpp>
#include <anodiff/ops/resample_cpu.hpp>
#include <anodiff/ops/row_distance_cpu.hpp>
#include <anodiff/ops/scale_rows_cpu.hpp>
#include <anodiff/ops/scale_shift_cpu.hpp>
#include <anodiff/ops/scaled_sum_cpu.hpp>
#include <anodiff/ops/simplex_noise_cpu.hpp>
#include <anodiff/ops/squared_error_cpu.hpp>
#include <anodiff/ops/ssim_cpu.hpp>
#include <anodiff/ops/time_features_cpu.hpp>
#include <cmath>
#include <memory>

namespace anodiff {

/// In what form a network's weights are read when it only estimates; training always reads them whole. halves: those of
/// dense layers rounded to half precision, a relative 2^-11 where their size is in [6e-5, 65504]; one row then costs
/// half the memory traffic. bytes: those of convolutions, and the pictures they see, in 8 bits (ops/conv2d_bytes.hpp),
/// except where the channels are not in fours or the picture has fewer than 16; fast on machines with AVX-512 VNNI.
enum class weight_storage { whole, halves, bytes };

/// Runs operations on the cores of this machine. `cpu_engine` computes in float; double serves to check gradients.
template <class T>
class basic_cpu_engine {
 public:
  using real = T;
  using buffer = aligned_vector<T>;
  using weight = ops::cpu::packed_matrix<T>;
  static constexpr std::string_view name = "cpu";

  /// threads counts the caller; 0 takes one for each core.
  explicit basic_cpu_engine(int threads = 0, weight_storage weights = weight_storage::whole)
      : pool_{std::make_shared<thread_pool>(threads)}, weights_{weights} {}

  [[nodiscard]] thread_pool& pool() const noexcept { return *pool_; }
  [[nodiscard]] int threads() const noexcept { return pool_->threads(); }

  template <class Operation>
  void run(const Operation& operation) const {
    ops::cpu::run(operation, *pool_);
  }

  /// Elements of working memory that run(operation) needs, in its member `scratch`.
  template <class Operation>
  [[nodiscard]] index scratch(const Operation& operation) const {
    return ops::cpu::scratch(operation, *pool_);
  }

  [[nodiscard]] buffer allocate(index count) const { return buffer(static_cast<std::size_t>(count)); }
  /// Throws numeric_error where halves are wanted and a value has none.
  [[nodiscard]] weight prepare_weight(const T* values, index in, index out) const {
    const bool halves = weights_ == weight_storage::halves;
    if (halves)
      for (index i = 0; i < in * out; ++i)
        check<numeric_error>(std::abs(values[i]) < T{65520}, "cpu_engine: a weight of ", values[i],
                             " is too large for half precision; use weight_storage::whole");
    weight w{in, out, halves};
    w.pack({values, out, 1});
    return w;
  }
  /// The same from values stored as (out, in).
  [[nodiscard]] weight prepare_transposed(const T* values, index in, index out) const {
    weight w{in, out};
    w.pack({values, 1, in});
    return w;
  }
  /// The weights of a convolution in the form that run(conv2d_forward) reads for this shape; never as halves, since
  /// their product is not bound by reading them.
  [[nodiscard]] weight prepare_convolution(const ops::conv2d_shape& shape, const T* values) const {
    const bool in_bytes = weights_ == weight_storage::bytes && std::is_same_v<T, float> && shape.in % 4 == 0 &&
                          shape.in >= 16 && shape.depth() <= ops::conv2d_bytes_depth;
    weight w = in_bytes ? weight{ops::cpu::byte_matrix{shape.depth(), shape.out}}
                        : weight{ops::cpu::packed_rows(shape), shape.out};
    refresh_convolution(w, shape, values);
    return w;
  }
  void refresh_convolution(weight& prepared, const ops::conv2d_shape& shape, const T* values) const {
    if constexpr (std::is_same_v<T, float>)
      if (!prepared.in_bytes().empty()) return prepared.in_bytes().pack(values);
    if (!ops::cpu::uses_winograd(shape)) return prepared.pack({values, shape.out, 1});
    buffer transformed = allocate(prepared.k() * shape.out);
    ops::cpu::winograd_weights(values, shape.in, shape.out, transformed.data());
    prepared.pack({transformed.data(), shape.out, 1});
  }
  void refresh_weight(weight& prepared, const T* values) const noexcept { prepared.pack({values, prepared.n(), 1}); }

 private:
  std::shared_ptr<thread_pool> pool_;
  weight_storage weights_ = weight_storage::whole;
};

using cpu_engine = basic_cpu_engine<float>;
static_assert(engine<cpu_engine>);

}  // namespace anodiff
