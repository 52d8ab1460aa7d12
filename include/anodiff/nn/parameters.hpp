// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <string>
#include <string_view>

namespace anodiff::nn {

/// How a parameter is filled before training. fan_in: uniform in ±1/√in (He et al. 2015 with a = √5, PyTorch's
/// default).
enum class initial { zero, one, fan_in };

/// One named matrix of a network: (rows, columns); a bias has one row.
struct parameter {
  std::string name;
  index rows = 0, columns = 0;
  index offset = 0;  ///< of its first element in the flat store
  [[nodiscard]] index count() const noexcept { return rows * columns; }
};

/// Whether a store holds its values; zero ones, for those who bring their own; or only measures them.
enum class storage { values, zeros, none };

/// All parameters of a network in one flat array, so that an optimiser step is one pass and a checkpoint one write.
template <class T>
class parameter_store {
 public:
  explicit parameter_store(storage kind = storage::values) : kind_{kind} {}
  [[nodiscard]] index count() const noexcept { return count_; }
  [[nodiscard]] std::span<const parameter> list() const noexcept { return list_; }
  [[nodiscard]] std::span<T> values() noexcept { return values_; }
  [[nodiscard]] std::span<const T> values() const noexcept { return values_; }
  [[nodiscard]] T* at(const parameter& p) noexcept { return values_.data() + p.offset; }
  [[nodiscard]] const T* at(const parameter& p) const noexcept { return values_.data() + p.offset; }

  /// Makes room for that many values in all, so that declaring moves none.
  void reserve(index count) { values_.reserve(static_cast<std::size_t>(count)); }

  [[nodiscard]] const parameter* find(std::string_view name) const noexcept {
    for (const auto& p : list_)
      if (p.name == name) return &p;
    return nullptr;
  }

  /// The parameter of that name; it is added and filled where it does not exist yet. `in` is the fan-in of fan_in.
  /// Throws invalid_argument where it exists with another shape.
  parameter declare(std::string_view name, index rows, index columns, initial how, index in, std::uint64_t seed) {
    if (const parameter* known = find(name)) {
      check(known->rows == rows && known->columns == columns, "parameter_store: '", name, "' needs shape (", rows, ", ",
            columns, "), got (", known->rows, ", ", known->columns, ")");
      return *known;
    }
    // each parameter starts on a cache line, so that vector loads are aligned
    const auto line = static_cast<index>(tensor_alignment / sizeof(T));
    parameter added{std::string{name}, rows, columns, (count_ + line - 1) / line * line};
    count_ = added.offset + volume(shape<2>{rows, columns});
    list_.push_back(added);
    if (kind_ == storage::none) return added;
    values_.resize(static_cast<std::size_t>(count_));
    if (kind_ == storage::zeros) return added;
    T* to = at(added);
    const noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(list_.size() - 1), .use = purpose::init};
    const double bound = how == initial::fan_in ? 1 / std::sqrt(static_cast<double>(in)) : 0;
    for (index i = 0; i < added.count(); ++i)
      to[i] = how == initial::one
                  ? T{1}
                  : static_cast<T>(bound * (2 * random_uniform(key, static_cast<std::uint64_t>(i)) - 1));
    return added;
  }

 private:
  storage kind_;
  index count_ = 0;
  std::vector<parameter> list_;
  aligned_vector<T> values_;
};

}  // namespace anodiff::nn
