// SPDX-License-Identifier: Apache-2.0
// Every kernel of the library once, for nvcc alone: what each needs of a multiprocessor is compared with budget.txt.

#include <anodiff/objectives/inverse_gamma.hpp>
#include <anodiff/objectives/time_bins.hpp>
#include <anodiff/objectives/time_regression.hpp>
#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/adamw.cuh>
#include <anodiff/ops/affine.cuh>
#include <anodiff/ops/attention.cuh>
#include <anodiff/ops/blur.cuh>
#include <anodiff/ops/combine.cuh>
#include <anodiff/ops/dropout.cuh>
#include <anodiff/ops/dynamic_threshold.cuh>
#include <anodiff/ops/embedding.cuh>
#include <anodiff/ops/fir_resample.cuh>
#include <anodiff/ops/group_norm.cuh>
#include <anodiff/ops/kernel_average.cuh>
#include <anodiff/ops/layer_norm.cuh>
#include <anodiff/ops/linear.cuh>
#include <anodiff/ops/mlp_cluster.cuh>
#include <anodiff/ops/mlp_loop.cuh>
#include <anodiff/ops/nearest.cuh>
#include <anodiff/ops/resample.cuh>
#include <anodiff/ops/row_distance.cuh>
#include <anodiff/ops/scaled_sum.cuh>
#include <anodiff/ops/squared_error.cuh>
#include <anodiff/ops/time_features.cuh>
#include <anodiff/ops/time_loss.cuh>
#include <anodiff/ops/top_k.cuh>
#include <anodiff/ops/transposed.cuh>
#include <anodiff/pipeline/resident_trainer.cuh>

namespace anodiff {

using device::bfloat16, device::half;
namespace cuda = ops::cuda;

template <class... Operation>
void run_all(device::stream on, const Operation&... op) {
  (cuda::run(op, on), ...);
}

template <class Law>
ops::time_loss<float, Law> time_loss(const Law& law) {
  return {.law = law};
}

void kernels(device::stream on) {
  run_all(on, ops::fill_normal<float>{}, ops::fill_normal<half>{}, ops::fill_normal<bfloat16>{},
          ops::corrupt_rows<float>{}, cuda::set_value<noise_key>{}, cuda::set_value<detail::training_now>{});
  run_all(on, ops::combine<float>{}, cuda::mixed_combine<half>{}, cuda::mixed_combine<bfloat16>{},
          cuda::mixed_combine<float, half>{}, cuda::mixed_combine<float, bfloat16>{});
  run_all(on, ops::accumulate<float>{}, ops::add<float>{}, ops::fill<float>{}, ops::activate_forward<float>{},
          ops::activate_backward<float>{}, ops::adamw_step<float>{}, ops::sum_of_squares<float>{},
          ops::time_features<float>{}, ops::row_distance<float>{}, cuda::linear_epilogue<float>{},
          ops::scatter_rows<float>{}, cuda::add_columns<float>{}, cuda::transposed<float>{});
  run_all(on, ops::add<bfloat16>{}, ops::activate_forward<bfloat16>{}, cuda::linear_epilogue<bfloat16>{});
  run_all(on, ops::layer_norm_forward<float>{}, ops::layer_norm_forward<bfloat16>{}, ops::layer_norm_backward<float>{},
          cuda::reduce_rows<float>{}, cuda::reduce_rows<bfloat16>{});
  run_all(on, ops::group_norm_forward<float>{}, ops::group_norm_forward<bfloat16>{}, ops::kernel_average<float>{},
          ops::attention_forward<float>{}, ops::attention_forward<bfloat16>{}, ops::enlarge<float>{},
          ops::reduce<float>{}, cuda::mlp_loop{}, cuda::mlp_cluster{}, cuda::blur_pictures<float>{}, cuda::top_k_mean{},
          cuda::row_histogram{});
  run_all(on, ops::group_norm_backward<float>{}, ops::attention_backward<float>{}, ops::squared_error<float>{},
          ops::dropout<float>{}, ops::dropout<bfloat16>{}, ops::dynamic_threshold<float>{},
          ops::embedding_forward<float>{}, ops::nearest<float>{}, ops::copy_channels<float>{},
          ops::scale_shift_forward<float>{}, ops::scale_shift_backward<float>{}, ops::affine<float>{},
          ops::fir_enlarge<float>{}, ops::fir_reduce<float>{}, ops::scaled_sum<float>{});
  run_all(on, time_loss(objectives::time_bins{}), time_loss(objectives::time_regression{}),
          time_loss(objectives::inverse_gamma{}));
  cuda::detail::launch_unfold({}, on);
  device::launch(on, {1, 1}, &cuda::detail::fold_kernel<float>, cuda::detail::fold<float>{}, 1U);
}

template __global__ void detail::draw_step_kernel<detail::draw_step>(const detail::draw_step);

}  // namespace anodiff
