// SPDX-License-Identifier: Apache-2.0
// What cuDNN says, without a GPU, to the operations that convolutions are made of: it takes them, and refuses one whose
// extents do not agree.

#include <anodiff/engines/cudnn_graph.cuh>
#include <cstdio>

using namespace anodiff;

int main() {
  int failed = 0;
  const auto expect = [&](bool right, const char* what) {
    if (!right) std::printf("failed: %s\n", what), ++failed;
  };
  const ops::conv2d_shape same{.height = 9, .width = 7, .in = 4, .out = 8};
  auto halving = same;
  halving.stride = 2, halving.before = 0;
  for (const auto& shape : {same, halving})
    for (const auto what : {cudnn::product::forward, cudnn::product::gradient_of_x, cudnn::product::gradient_of_weight})
      for (const bool bias : {false, true})
        for (const bool residual : {false, true}) {
          const bool forward = what == cudnn::product::forward;
          if (!forward && (bias || residual)) continue;
          try {
            const auto made = cudnn::operations({what, shape, 2, bias, residual});
            expect(made.size() == 1U + (bias ? 1 : 0) + (residual ? 1 : 0), "one operation for each part");
          } catch (const cuda_error& e) {
            expect(false, e.what());
          }
        }
  try {
    cudnn::descriptor op{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR};
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, cudnn::window(same));
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, {1.0F});
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, {0.0F});
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, cudnn::tensor(cudnn::of_x, 2, 4, 9, 7));
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, cudnn::tensor(cudnn::of_weight, 8, 4, 3, 3));
    op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, cudnn::tensor(cudnn::of_y, 2, 8, 5, 7));
    expect(!op.finalizes(), "a result of another height is refused");
  } catch (const cuda_error& e) {
    expect(false, e.what());
  }
  std::printf("%d failed\n", failed);
  return failed == 0 ? 0 : 1;
}
