// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/dtype.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// A tensor as a file of several knows it: row-major, its bytes borrowed.
struct named_tensor {
  std::string name;
  dtype type = dtype::f32;
  std::vector<index> shape;
  byte_span bytes;
};

/// One of the caller's tensors, to be written; its elements must outlive the call.
template <class T, std::size_t Rank>
[[nodiscard]] named_tensor named(std::string name, tensor_view<T, Rank> values) {
  return {std::move(name),
          dtype_of<std::remove_const_t<T>>(),
          {values.extents().begin(), values.extents().end()},
          std::as_bytes(values.flat())};
}
template <class T, std::size_t Rank>
[[nodiscard]] named_tensor named(std::string name, const tensor<T, Rank>& values) {
  return named(std::move(name), values.view());
}
template <class T, std::size_t Extent>
[[nodiscard]] named_tensor named(std::string name, std::span<T, Extent> values) {
  return named(std::move(name), tensor_view<T, 1>{values.data(), {static_cast<index>(values.size())}});
}

}  // namespace anodiff::formats
