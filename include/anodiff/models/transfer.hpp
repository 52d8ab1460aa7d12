// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <string>
#include <utility>

namespace anodiff::models {

/// Gives `to` the parameters of `from`: the same network, made with the same params, on another engine or in another
/// element type. Throws data_error, naming the parameter, where their shapes differ or `from` lacks one.
template <trainable From, trainable To>
void transfer(const From& from, To& to) {
  using real = typename To::engine_type::real;
  std::vector<std::pair<std::string, tensor<real, 2>>> values;
  from.tensors([&](std::string_view name, auto view) {
    tensor<real, 2> copy{{view.extent(0), view.extent(1)}};
    for (index i = 0; i < view.size(); ++i) copy.data()[i] = static_cast<real>(view.data()[i]);
    values.emplace_back(std::string{name}, std::move(copy));
  });
  to.restore(from.sample_shape(), [&](std::string_view name) -> const tensor<real, 2>& {
    for (const auto& [known, value] : values)
      if (known == name) return value;
    detail::fail<data_error>({"models::transfer: the network to copy from has no parameter '", name, "'"});
  });
}

}  // namespace anodiff::models
