// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <concepts>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace anodiff {

/// Bytes to which the storage of every tensor is aligned: one cache line, one AVX-512 register.
inline constexpr std::size_t tensor_alignment = 64;

namespace detail {

template <class T>
struct aligned_allocator {
  using value_type = T;
  aligned_allocator() = default;
  template <class U>
  aligned_allocator(const aligned_allocator<U>&) noexcept {}  // NOLINT: rebinding is implicit
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{tensor_alignment}));
  }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete (p, std::align_val_t{tensor_alignment}); }
  bool operator==(const aligned_allocator&) const = default;
};

}  // namespace detail

/// A contiguous array aligned to tensor_alignment bytes.
template <class T>
using aligned_vector = std::vector<T, detail::aligned_allocator<T>>;

/// A borrowed row-major array of Rank dimensions; trivially copyable. T may be const. The first extent counts samples.
template <class T, std::size_t Rank>
class tensor_view {
  static_assert(Rank >= 1);

 public:
  using element = std::remove_const_t<T>;
  static constexpr std::size_t rank = Rank;

  constexpr tensor_view() = default;
  constexpr tensor_view(T* data, shape<Rank> extents) noexcept : data_{data}, extents_{extents} {}
  /// A view of const elements from one of mutable elements.
  template <class U>
  requires(std::is_const_v<T>&& std::same_as<U, element>) constexpr tensor_view(
      const tensor_view<U, Rank>& other) noexcept  // NOLINT: adding const is implicit
      : data_{other.data()}, extents_{other.extents()} {}

  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr const shape<Rank>& extents() const noexcept { return extents_; }
  [[nodiscard]] constexpr index extent(std::size_t axis) const noexcept { return extents_[axis]; }
  /// Samples: the first extent.
  [[nodiscard]] constexpr index rows() const noexcept { return extents_[0]; }
  /// Elements of one sample.
  [[nodiscard]] constexpr index row_size() const noexcept {
    index product = 1;
    for (std::size_t i = 1; i < Rank; ++i) product *= extents_[i];
    return product;
  }
  [[nodiscard]] constexpr index size() const noexcept { return rows() * row_size(); }
  [[nodiscard]] constexpr std::span<T> flat() const noexcept { return {data_, static_cast<std::size_t>(size())}; }
  [[nodiscard]] constexpr std::span<T> row(index i) const noexcept {
    return {data_ + i * row_size(), static_cast<std::size_t>(row_size())};
  }
  /// Rows first up to, and without, last.
  [[nodiscard]] constexpr tensor_view slice(index first, index last) const noexcept {
    auto extents = extents_;
    extents[0] = last - first;
    return {data_ + first * row_size(), extents};
  }
  /// The same elements as (rows, row_size).
  [[nodiscard]] constexpr tensor_view<T, 2> matrix() const noexcept { return {data_, {rows(), row_size()}}; }
  [[nodiscard]] constexpr T& operator()(index i, index j) const noexcept requires(Rank == 2) {
    return data_[i * extents_[1] + j];
  }

 private:
  T* data_ = nullptr;
  shape<Rank> extents_{};
};

/// An owned row-major array of Rank dimensions, zero-filled at birth, aligned to tensor_alignment bytes.
template <class T, std::size_t Rank>
class tensor {
 public:
  static constexpr std::size_t rank = Rank;

  tensor() = default;
  explicit tensor(shape<Rank> extents) : extents_{extents}, data_(static_cast<std::size_t>(volume(extents))) {}
  /// Copies the elements of any view whose elements convert to T.
  template <class U>
  explicit tensor(tensor_view<U, Rank> from) : tensor{from.extents()} {
    std::transform(from.data(), from.data() + from.size(), data_.data(), [](const U& x) { return static_cast<T>(x); });
  }

  [[nodiscard]] tensor_view<T, Rank> view() noexcept { return {data_.data(), extents_}; }
  [[nodiscard]] tensor_view<const T, Rank> view() const noexcept { return {data_.data(), extents_}; }
  operator tensor_view<T, Rank>() noexcept { return view(); }              // NOLINT: a tensor is a view of itself
  operator tensor_view<const T, Rank>() const noexcept { return view(); }  // NOLINT
  [[nodiscard]] T* data() noexcept { return data_.data(); }
  [[nodiscard]] const T* data() const noexcept { return data_.data(); }
  [[nodiscard]] const shape<Rank>& extents() const noexcept { return extents_; }
  [[nodiscard]] index extent(std::size_t axis) const noexcept { return extents_[axis]; }
  [[nodiscard]] index rows() const noexcept { return extents_[0]; }
  [[nodiscard]] index row_size() const noexcept { return view().row_size(); }
  [[nodiscard]] index size() const noexcept { return static_cast<index>(data_.size()); }
  [[nodiscard]] std::span<T> flat() noexcept { return data_; }
  [[nodiscard]] std::span<const T> flat() const noexcept { return data_; }
  [[nodiscard]] std::span<T> row(index i) noexcept { return view().row(i); }
  [[nodiscard]] std::span<const T> row(index i) const noexcept { return view().row(i); }
  [[nodiscard]] T& operator()(index i, index j) noexcept requires(Rank == 2) {
    return data_[static_cast<std::size_t>(i * extents_[1] + j)];
  }
  [[nodiscard]] const T& operator()(index i, index j) const noexcept requires(Rank == 2) {
    return data_[static_cast<std::size_t>(i * extents_[1] + j)];
  }
  [[nodiscard]] bool operator==(const tensor&) const = default;

 private:
  shape<Rank> extents_{};
  aligned_vector<T> data_;
};

/// A view of const elements of any tensor or view.
template <class T, std::size_t Rank>
[[nodiscard]] constexpr tensor_view<const std::remove_const_t<T>, Rank> const_view(
    const tensor_view<T, Rank>& x) noexcept {
  return {x.data(), x.extents()};
}
template <class T, std::size_t Rank>
[[nodiscard]] tensor_view<const T, Rank> const_view(const tensor<T, Rank>& x) noexcept {
  return x.view();
}

/// A tensor or a view of samples.
template <class X>
concept sample_array = requires(const X& x) {
  const_view(x);
};

}  // namespace anodiff
