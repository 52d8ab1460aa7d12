// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <concepts>
#include <string_view>

namespace anodiff {

namespace part {
template <class E>
concept computes_in_an_element_type = std::floating_point<typename E::real>;
template <class E>
concept prepares_weights = requires(E e, const typename E::real* w, typename E::weight prepared) {
  prepared = e.prepare_weight(w, index{}, index{});
  prepared = e.prepare_transposed(w, index{}, index{});
  e.refresh_weight(prepared, w);
};
template <class E>
concept owns_buffers = requires(E e, typename E::buffer b) {
  b = e.allocate(index{});
  { b.data() } -> std::same_as<typename E::real*>;
};
}  // namespace part

/// Runs operations somewhere. An operation is an argument struct of ops/; run(op) finds its form for this machine, so
/// that whatever records operations knows none of them. `weight` is the form in which the machine wants the matrix of a
/// dense layer. An engine is a cheap handle: copies share the machine.
template <class E>
concept engine = std::copyable<E> && part::computes_in_an_element_type<E> && part::prepares_weights<E> &&
    part::owns_buffers<E> && requires {
  { E::name } -> std::convertible_to<std::string_view>;
};

/// An engine whose memory the host cannot read: values go there and come back by copies.
template <class E>
concept remote_engine = engine<E> && requires(const E e, std::span<typename E::real> here, typename E::real* there) {
  e.upload(std::span<const typename E::real>{here}, there);
  e.download(there, here);
};

}  // namespace anodiff
