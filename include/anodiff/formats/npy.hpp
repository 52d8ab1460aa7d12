// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/npy_header.hpp>
#include <anodiff/formats/dtype.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/named_tensor.hpp>
#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// A NumPy array out of a .npy file or a member of an .npz file. It keeps the file's bytes as they are and converts on
/// request, so that a large array is copied once.
class array {
 public:
  /// content holds the elements from byte first on; name stands for the file in messages.
  array(buffer content, std::size_t first, dtype type, std::vector<index> extents, bool fortran_order, std::string name)
      : content_{std::move(content)},
        first_{first},
        type_{type},
        shape_{std::move(extents)},
        fortran_order_{fortran_order},
        name_{std::move(name)} {}

  [[nodiscard]] dtype type() const noexcept { return type_; }
  [[nodiscard]] const std::vector<index>& shape() const noexcept { return shape_; }
  /// True where the first extent varies fastest in bytes().
  [[nodiscard]] bool fortran_order() const noexcept { return fortran_order_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The elements as they are stored, without any alignment.
  [[nodiscard]] byte_span bytes() const noexcept { return content_.span().subspan(first_); }
  [[nodiscard]] index size() const noexcept { return static_cast<index>(bytes().size() / size_of(type_)); }

  /// The elements in row-major order. To float and double any dtype converts, rounding where it must (int64 beyond
  /// 2^53); to an integer only its own dtype, bool as uint8_t. Throws data_error where Rank or dtype differ.
  template <class T, std::size_t Rank>
  [[nodiscard]] tensor<T, Rank> to_tensor() const {
    check<data_error>(shape_.size() == Rank, name_, ": need an array of ", Rank, " dimensions, got shape ",
                      shape_text(shape_));
    anodiff::shape<Rank> extents;
    std::copy(shape_.begin(), shape_.end(), extents.begin());
    tensor<T, Rank> out{extents};
    copy_to(out.flat());
    return out;
  }
  /// The same, whatever the rank is; out needs size() elements.
  template <class T>
  void copy_to(std::span<T> out) const {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "array: need a number type, uint8_t for bool");
    check(static_cast<index>(out.size()) == size(), "array: need room for ", size(), " elements, got ", out.size());
    const bool same = type_ == dtype_of<T>() || (type_ == dtype::boolean && std::is_same_v<T, std::uint8_t>);
    check<data_error>(std::is_floating_point_v<T> || same, name_, ": need elements of ", name_of(dtype_of<T>()),
                      ", got ", name_of(type_));
    if (out.empty()) return;
    if (type_ == dtype_of<T>() && !transposed())
      std::memcpy(out.data(), bytes().data(), bytes().size());
    else
      visit_dtype(type_, [&](auto loader) { convert<decltype(loader)>(out.data()); });
  }

 private:
  [[nodiscard]] bool transposed() const noexcept { return fortran_order_ && shape_.size() > 1; }

  template <class Loader, class T>
  void convert(T* out) const {
    const std::byte* in = bytes().data();
    const auto load = [&](std::size_t i) { return static_cast<T>(Loader::at(in + i * Loader::size)); };
    if (!transposed()) {
      const auto count = static_cast<std::size_t>(size());
      for (std::size_t i = 0; i < count; ++i) out[i] = load(i);
      return;
    }
    const auto rows = static_cast<std::size_t>(shape_.front());
    const auto row_size = static_cast<std::size_t>(size()) / rows;
    // Element (i, rest) stands at i + rows * place of rest; places(k) is that of the k-th rest in row-major order.
    std::vector<std::size_t> places(row_size);
    std::vector<index> at(shape_.size(), 0);
    for (std::size_t k = 0; k < row_size; ++k) {
      std::size_t place = 0;
      for (std::size_t axis = shape_.size(); axis-- > 1;)
        place = place * static_cast<std::size_t>(shape_[axis]) + static_cast<std::size_t>(at[axis]);
      places[k] = place * rows;
      for (std::size_t axis = shape_.size() - 1; axis > 0 && ++at[axis] == shape_[axis]; --axis) at[axis] = 0;
    }
    constexpr std::size_t tile = 32;  // rows whose output lines stay in the cache while the columns are walked
    for (std::size_t first = 0; first < rows; first += tile) {
      const std::size_t last = std::min(rows, first + tile);
      for (std::size_t k = 0; k < row_size; ++k)
        for (std::size_t i = first; i < last; ++i) out[i * row_size + k] = load(places[k] + i);
    }
  }

  buffer content_;
  std::size_t first_;
  dtype type_;
  std::vector<index> shape_;
  bool fortran_order_;
  std::string name_;
};

/// Reads the bytes of a .npy file of version 1, 2 or 3; name stands for it in messages. Throws data_error where it is
/// damaged, big-endian, structured, or of a dtype other than float16…64, (u)int8…64 and bool.
[[nodiscard]] inline array parse_npy(buffer content, std::string name) {
  constexpr std::uint64_t longest = 65536;
  byte_reader reader{content.span(), name};
  if (text_of(reader.take_bytes(detail::npy_magic.size(), "the npy magic")) != detail::npy_magic)
    throw data_error(concat(name, ": not a npy file, its first bytes are not those of one"));
  const auto major = reader.take<std::uint8_t>("the npy version");
  const auto minor = reader.take<std::uint8_t>("the npy version");
  if (major < 1 || major > 3 || minor != 0)
    reader.fail("npy version ", int{major}, ".", int{minor}, " is not supported; 1.0, 2.0 and 3.0 are");
  const std::uint64_t length = major == 1 ? reader.take<std::uint16_t>("the length of the npy header")
                                          : reader.take<std::uint32_t>("the length of the npy header");
  if (length > longest) reader.fail("the npy header may have at most ", longest, " bytes, got ", length);
  detail::npy_header_parser header{text_of(reader.take_bytes(length, "the npy header")), name};
  header.parse();
  const auto size = stored_size(header.shape(), header.type());
  if (!size || *size != reader.left())
    reader.fail(name_of(header.type()), " ", shape_text(header.shape()), " needs ", size ? concat(*size) : "too many",
                " bytes, got ", reader.left());
  const std::size_t first = reader.position();
  return {std::move(content), first, header.type(), std::move(header.shape()), header.fortran_order(), std::move(name)};
}

/// Reads a .npy file. Throws io_error where it cannot be read, data_error as parse_npy.
[[nodiscard]] inline array read_npy(const std::string& path, std::uint64_t limit = default_file_limit) {
  return parse_npy(read_file(path, limit), path);
}

/// Writes a tensor as .npy, version 1, row-major.
template <byte_sink Sink, class T, std::size_t Rank>
void write_npy(Sink& sink, tensor_view<T, Rank> values) {
  sink.write(bytes_of(npy_header(dtype_of<std::remove_const_t<T>>(), values.extents())));
  sink.write(std::as_bytes(values.flat()));
}
/// The same to a file, whole or not at all; throws io_error where the system refuses.
template <class T, std::size_t Rank>
void write_npy(const std::string& path, tensor_view<T, Rank> values) {
  write_file_atomically(path, [&](file_sink& sink) { write_npy(sink, values); });
}
template <class T, std::size_t Rank>
void write_npy(const std::string& path, const tensor<T, Rank>& values) {
  write_npy(path, values.view());
}
template <class T, std::size_t Extent>
void write_npy(const std::string& path, std::span<T, Extent> values) {
  write_npy(path, tensor_view<T, 1>{values.data(), {static_cast<index>(values.size())}});
}

}  // namespace anodiff::formats
