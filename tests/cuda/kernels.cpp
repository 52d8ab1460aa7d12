// SPDX-License-Identifier: Apache-2.0
// Every kernel of the library once, for nvcc alone: what each needs of a multiprocessor is compared with budget.txt.

#include <anodiff/ops/combine.cuh>

namespace anodiff {

using device::bfloat16, device::half;
namespace cuda = ops::cuda;

template <class... Operation>
void run_all(device::stream on, const Operation&... op) {
  (cuda::run(op, on), ...);
}

void kernels(device::stream on) {
  run_all(on, ops::fill_normal<float>{}, ops::fill_normal<half>{}, ops::fill_normal<bfloat16>{},
          ops::corrupt_rows<float>{});
  run_all(on, ops::combine<float>{}, cuda::mixed_combine<half>{}, cuda::mixed_combine<bfloat16>{},
          cuda::mixed_combine<float, half>{}, cuda::mixed_combine<float, bfloat16>{});
}

}  // namespace anodiff
