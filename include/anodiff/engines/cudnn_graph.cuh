// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of cuDNN's graph interface (its C backend) that convolutions need.

#include <cudnn.h>

#include <algorithm>
#include <anodiff/core/runtime_cuda.cuh>
#include <anodiff/ops/conv2d.hpp>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

namespace anodiff::cudnn {

/// Throws cuda_error unless a call of cuDNN went well.
inline void check(cudnnStatus_t code, const char* what) {
  anodiff::check<cuda_error>(code == CUDNN_STATUS_SUCCESS, "cuDNN: ", what, " gave ", cudnnGetErrorString(code));
}

/// A descriptor of the backend, filled attribute by attribute. Throws cuda_error for what cuDNN refuses.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(cudnnBackendDescriptorType_t kind) {
    cudnnBackendDescriptor_t made = nullptr;
    check(cudnnBackendCreateDescriptor(kind, &made), "cudnnBackendCreateDescriptor");
    own_.reset(made);
  }
  template <class T>
  descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::span<const T> values) {
    check(cudnnBackendSetAttribute(get(), name, type, static_cast<std::int64_t>(values.size()), values.data()),
          "cudnnBackendSetAttribute");
    return *this;
  }
  template <class T>
  descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::initializer_list<T> values) {
    return set(name, type, std::span<const T>{values.begin(), values.size()});
  }
  descriptor& set(cudnnBackendAttributeName_t name, const descriptor& other) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {other.get()});
  }
  descriptor& finalize() {
    check(cudnnBackendFinalize(get()), "cudnnBackendFinalize");
    return *this;
  }
  /// Whether cuDNN takes it.
  [[nodiscard]] bool finalizes() noexcept { return cudnnBackendFinalize(get()) == CUDNN_STATUS_SUCCESS; }
  /// The values of an attribute, at most so many; none where cuDNN does not tell.
  template <class T>
  [[nodiscard]] std::vector<T> values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                      std::size_t most) const {
    std::vector<T> out(most);
    std::int64_t count = 0;
    const auto code = cudnnBackendGetAttribute(get(), name, type, static_cast<std::int64_t>(most), &count, out.data());
    out.resize(code == CUDNN_STATUS_SUCCESS ? std::min(most, static_cast<std::size_t>(count)) : 0);
    return out;
  }
  /// The descriptors of an attribute.
  [[nodiscard]] std::vector<descriptor> list(cudnnBackendAttributeName_t name,
                                             cudnnBackendDescriptorType_t kind) const {
    std::int64_t count = 0;
    std::vector<descriptor> out;
    if (cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr) !=
        CUDNN_STATUS_SUCCESS)
      return out;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t k = 0; k < count; ++k) raw.push_back(out.emplace_back(kind).get());
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &count, raw.data()),
          "cudnnBackendGetAttribute");
    out.resize(static_cast<std::size_t>(count));
    return out;
  }
  [[nodiscard]] cudnnBackendDescriptor_t get() const noexcept { return own_.get(); }

 private:
  struct destroy {
    void operator()(cudnnBackendDescriptor_t d) const noexcept { (void)cudnnBackendDestroyDescriptor(d); }
  };
  std::unique_ptr<std::remove_pointer_t<cudnnBackendDescriptor_t>, destroy> own_;
};

/// Names of the tensors of a graph.
enum tensor_name : std::int64_t { of_x = 1, of_weight, of_y, of_bias, of_residual, inside_first, inside_second };

/// A tensor (n, c, h, w) in float, its channels side by side; inside: it exists between operations alone.
[[nodiscard]] inline descriptor tensor(std::int64_t name, index n, index c, index h, index w, bool inside = false) {
  descriptor made{CUDNN_BACKEND_TENSOR_DESCRIPTOR};
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64,
           {std::int64_t{n}, std::int64_t{c}, std::int64_t{h}, std::int64_t{w}});
  made.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
           {std::int64_t{h * w * c}, std::int64_t{1}, std::int64_t{w * c}, std::int64_t{c}});
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {name});
  made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {std::int64_t{16}});
  if (inside) made.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, {true});
  made.finalize();
  return made;
}

[[nodiscard]] inline descriptor window(const ops::conv2d_shape& s) {
  descriptor made{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR};
  const auto both = [&](cudnnBackendAttributeName_t name, index value) {
    made.set(name, CUDNN_TYPE_INT64, {std::int64_t{value}, std::int64_t{value}});
  };
  made.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  made.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, {CUDNN_CROSS_CORRELATION});
  made.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {std::int64_t{2}});
  both(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1);
  both(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, s.stride);
  both(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, s.before);
  both(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, s.after);
  made.finalize();
  return made;
}

/// Which of a convolution's products, and what follows the forward one in the same kernel.
enum class product { forward, gradient_of_x, gradient_of_weight };
struct request {
  cudnn::product what = product::forward;
  ops::conv2d_shape shape{};
  index n = 0;
  bool bias = false, residual = false;
};

/// The operations of a request; weights are (out, kernel, kernel, in). They keep what they are made of.
[[nodiscard]] inline std::vector<descriptor> operations(const request& r) {
  const auto& s = r.shape;
  const bool more = r.bias || r.residual;
  const auto x = tensor(of_x, r.n, s.in, s.height, s.width), w = tensor(of_weight, s.out, s.in, s.kernel, s.kernel),
             over = window(s);
  const auto result = [&](std::int64_t name, bool inside) {
    return tensor(name, r.n, s.out, s.out_height(), s.out_width(), inside);
  };
  std::vector<descriptor> made;
  const auto convolve = [&](cudnnBackendDescriptorType_t kind, cudnnBackendAttributeName_t alpha,
                            cudnnBackendAttributeName_t beta, cudnnBackendAttributeName_t how) -> descriptor& {
    auto& op = made.emplace_back(kind);
    op.set(how, over);
    op.set(alpha, CUDNN_TYPE_FLOAT, {1.0F});
    op.set(beta, CUDNN_TYPE_FLOAT, {0.0F});
    return op;
  };
  auto last = result(more ? inside_first : of_y, more);
  switch (r.what) {
    case product::forward:
      convolve(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
               CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, last)
          .finalize();
      break;
    case product::gradient_of_x:
      convolve(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, last)
          .finalize();
      break;
    case product::gradient_of_weight:
      convolve(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, w)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, last)
          .finalize();
      break;
  }
  const auto add = [&](const descriptor& what, bool is_last) {
    auto next = result(is_last ? of_y : inside_second, !is_last);
    descriptor sum{CUDNN_BACKEND_POINTWISE_DESCRIPTOR};
    sum.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {CUDNN_POINTWISE_ADD});
    sum.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
    sum.finalize();
    made.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, sum)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, last)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, what)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, next)
        .finalize();
    last = std::move(next);
  };
  if (r.bias) add(tensor(of_bias, 1, s.out, 1, 1), !r.residual);
  if (r.residual) add(result(of_residual, false), true);
  return made;
}

}  // namespace anodiff::cudnn
