// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/half.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/ops/byte_matrix_cpu.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <array>
#include <cstring>
#include <utility>

/// The matrix product under every dense layer. Each element of the product is one chain of multiply-adds over the inner
/// dimension in rising order, cut at fixed places: it does not depend on the number of rows, on the tile or on the
/// threads. That is why the product is written here and not left to a library, whose kernels change with the shape.
namespace anodiff::ops::cpu {

/// A strided matrix: element (i, j) stands at data[i * row_stride + j * column_stride].
template <class T>
struct matrix {
  const T* data;
  index row_stride;
  index column_stride;
};

template <class T>
struct tile_size {
  static constexpr int vectors = 2;                            ///< vectors across
  static constexpr int columns = vectors * simd::lanes<T>;     ///< a panel's width
  static constexpr int rows = simd::registers == 32 ? 12 : 6;  ///< sums that fit the registers with their operands
  static constexpr index depth = 512;                          ///< the inner dimension is cut here
  static constexpr index row_block = rows * (simd::registers == 32 ? 16 : 32);
};

/// Whether the machine turns a vector of half-precision numbers into floats in one instruction.
#if defined(__AVX512F__) || (defined(__F16C__) && defined(__AVX__))
inline constexpr bool loads_halves = true;
#else
inline constexpr bool loads_halves = false;
#endif

/// The right-hand matrix (k, n) cut into panels of tile_size::columns columns, each k rows of contiguous columns,
/// zero-padded: the order in which the product reads it. With halves, its values are rounded to half precision, and
/// kept in that form too where the machine loads it: a product with one row, which is bound by reading the matrix,
/// reads half the bytes. All products see the same rounded values. A matrix in bytes holds nothing else.
template <class T>
class packed_matrix {
 public:
  packed_matrix() = default;
  packed_matrix(index k, index n, bool halves = false)
      : k_{k}, n_{n}, rounds_{halves}, data_(static_cast<std::size_t>(panels() * k * tile_size<T>::columns)) {
    if (halves && loads_halves && std::is_same_v<T, float>)
      halves_.resize(
          static_cast<std::size_t>((panels() + half_group - 1) / half_group * half_group * k * tile_size<T>::columns));
  }
  /// A convolution's weights in 8 bits.
  explicit packed_matrix(byte_matrix in_bytes) : in_bytes_{std::move(in_bytes)} {}
  /// Empty where the values are kept whole or as halves.
  [[nodiscard]] const byte_matrix& in_bytes() const noexcept { return in_bytes_; }
  [[nodiscard]] byte_matrix& in_bytes() noexcept { return in_bytes_; }
  [[nodiscard]] index k() const noexcept { return k_; }
  [[nodiscard]] index n() const noexcept { return n_; }
  [[nodiscard]] index panels() const noexcept { return (n_ + tile_size<T>::columns - 1) / tile_size<T>::columns; }
  [[nodiscard]] const T* panel(index p) const noexcept { return data_.data() + p * k_ * tile_size<T>::columns; }
  /// Panels that stand side by side in half precision: one row reads them all at once, as one stream.
  static constexpr index half_group = 4;
  /// half_group panels from p on, a multiple of it, as k rows of contiguous columns; null without halves.
  [[nodiscard]] const std::uint16_t* half_panels(index p) const noexcept {
    return halves_.empty() ? nullptr : halves_.data() + p * k_ * tile_size<T>::columns;
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return data_.size() * sizeof(T) + halves_.size() * sizeof(std::uint16_t) + in_bytes_.bytes();
  }
  /// Copies b (k, n) into the panels; allocates nothing.
  void pack(const matrix<T>& b) noexcept;

 private:
  index k_ = 0, n_ = 0;
  bool rounds_ = false;
  aligned_vector<T> data_;
  aligned_vector<std::uint16_t> halves_;
  byte_matrix in_bytes_;
};

/// Copies rows [k0, k1) of columns [n0, n0 + columns) of b to a panel; columns at and beyond n become zero.
template <class T>
void pack_panel(const matrix<T>& b, index n, index n0, index k0, index k1, T* ANODIFF_RESTRICT panel) noexcept {
  constexpr int width = tile_size<T>::columns;
  const auto count = static_cast<int>(std::min<index>(width, n - n0));
  if (b.column_stride == 1 && count == width) {
    using V = simd::vec<T>;
    for (index k = k0; k < k1; ++k, panel += width)
      for (int v = 0; v < tile_size<T>::vectors; ++v)
        simd::store(panel + v * simd::lanes<T>, simd::load<V>(b.data + k * b.row_stride + n0 + v * simd::lanes<T>));
    return;
  }
  index k = k0;
  if (b.row_stride == 1) {  // columns are contiguous: squares of them are turned in registers
    using V = simd::vec<T>;
    constexpr int lanes = simd::lanes<T>;
    for (; k + lanes <= k1; k += lanes, panel += lanes * width)
      for (int j = 0; j < width; j += lanes) {
        const T* from = b.data + (n0 + j) * b.column_stride + k;
        const auto turn = [&](auto&& column) {
          V square[lanes];
          unrolled<lanes>([&](auto i) { square[i] = column(i); });
          transpose(square);
          unrolled<lanes>([&](auto i) { simd::store(panel + i * width + j, square[i]); });
        };
        if (j + lanes <= count)
          turn([&](auto i) { return simd::load<V>(from + i * b.column_stride); });
        else
          turn([&](auto i) { return j + i < count ? simd::load<V>(from + i * b.column_stride) : V{}; });
      }
  }
  for (; k < k1; ++k, panel += width)
    for (int j = 0; j < width; ++j) panel[j] = j < count ? b.data[k * b.row_stride + (n0 + j) * b.column_stride] : T{0};
}

template <class T>
void packed_matrix<T>::pack(const matrix<T>& b) noexcept {
  for (index p = 0; p < panels(); ++p)
    pack_panel(b, n_, p * tile_size<T>::columns, 0, k_, data_.data() + p * k_ * tile_size<T>::columns);
  if (!rounds_) return;
  constexpr index width = tile_size<T>::columns;
  for (index p = 0; p < panels(); ++p)
    for (index i = 0; i < k_ * width; ++i) {
      T& value = data_[static_cast<std::size_t>(p * k_ * width + i)];
      const std::uint16_t half = half_from_float(static_cast<float>(value));
      value = static_cast<T>(float_from_half(half));
      if (halves_.empty()) continue;
      const index group = p / half_group * half_group, at = (i / width * half_group + p - group) * width + i % width;
      halves_[static_cast<std::size_t>(group * k_ * width + at)] = half;
    }
}

/// A vector of a panel, whatever form it is stored in; halves only where the machine loads them.
template <class V, class T>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V load_panel(const T* p) noexcept {
  if constexpr (!std::is_same_v<T, std::uint16_t>) {
    return simd::load<V>(p);
  } else {
    using halves [[maybe_unused]] = simd::vec<short, simd::lanes_of<V>>;
#if defined(__AVX512F__)
    return __builtin_ia32_vcvtph2ps512_mask(simd::load<halves>(p), V{}, static_cast<unsigned short>(0xFFFF),
                                            4);  // 4: the current rounding mode
#elif defined(__F16C__) && defined(__AVX__)
    return __builtin_ia32_vcvtph2ps256(simd::load<halves>(p));
#endif
  }
}

/// sums[r][:] (+)= Σ_k a(r, k) panel(k, :) for Rows rows and Panels panels that lie panel_stride apart.
template <class T, int Rows, int Panels, class Stored = T>
ANODIFF_ALWAYS_INLINE void multiply_tile(const T* ANODIFF_RESTRICT a, index row_stride, index column_stride,
                                         index depth, const Stored* ANODIFF_RESTRICT panel, index panel_stride,
                                         T* ANODIFF_RESTRICT sums, index sums_stride, bool add,
                                         index row_width = tile_size<T>::columns) noexcept {
  using V = simd::vec<T>;
  constexpr int width = simd::lanes<T>, vectors = tile_size<T>::vectors, across = vectors * Panels;
  V c[Rows][across];  // indexed by constants only, so that -O2 keeps it in registers too
  const auto each_row = [](auto&& f) { unrolled<Rows>(f); };
  const auto each_vector = [](auto&& f) { unrolled<across>(f); };
  each_row([&](auto r) {
    each_vector([&](auto v) { c[r][v] = add ? simd::load<V>(sums + r * sums_stride + v * width) : V{}; });
  });
  for (index k = 0; k < depth; ++k) {
    const auto right = [&](auto v) {
      return load_panel<V>(panel + (v / vectors) * panel_stride + (v % vectors) * width);
    };
    if constexpr (Rows == 1) {
      if constexpr (!std::is_same_v<Stored, T>)  // one row is bound by reading: ask for the lines 16 rows ahead
        for (int line = 0; line < across * width; line += 32) __builtin_prefetch(panel + 16 * row_width + line);
      const V x = simd::broadcast<V>(*a);
      each_vector([&](auto v) { c[0][v] += x * right(v); });
    } else {
      V b[across];
      each_vector([&](auto v) { b[v] = right(v); });
      each_row([&](auto r) {
        const V x = simd::broadcast<V>(a[r * row_stride]);
        each_vector([&](auto v) { c[r][v] += x * b[v]; });
      });
    }
    panel += row_width;
    a += column_stride;
  }
  each_row([&](auto r) { each_vector([&](auto v) { simd::store(sums + r * sums_stride + v * width, c[r][v]); }); });
}

template <class T>
using tile_function = void (*)(const T*, index, index, index, const T*, index, T*, index, bool);

template <class T, int Rows>
[[gnu::flatten]] void multiply_rows(const T* a, index rs, index cs, index depth, const T* panel, index, T* sums,
                                    index stride, bool add) noexcept {
  multiply_tile<T, Rows, 1>(a, rs, cs, depth, panel, 0, sums, stride, add);
}

/// The kernel for 1 … tile rows.
template <class T>
[[nodiscard]] inline tile_function<T> tile_for(index rows) noexcept {
  static constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<tile_function<T>, sizeof...(I)>{&multiply_rows<T, static_cast<int>(I) + 1>...};
  }
  (std::make_index_sequence<tile_size<T>::rows>{});
  return table[static_cast<std::size_t>(rows - 1)];
}

/// Gives rows of finished sums, stride apart, to finish: at once where it has a member `tile` for that.
template <class T, class Finish>
ANODIFF_ALWAYS_INLINE void finish_tile(Finish& finish, index row, index rows, index column, const T* sums, index stride,
                                       int count) noexcept {
  if constexpr (requires { finish.tile(row, rows, column, sums, stride, count); })
    finish.tile(row, rows, column, sums, stride, count);
  else
    for (index r = 0; r < rows; ++r) finish(row + r, column, sums + r * stride, count);
}

/// Multiplies rows [m0, m1) of a (m, k) with one panel, and gives each finished row piece to
/// finish(row, first column, sums, count): sums holds tile_size::columns values of which count are real.
template <class T, class Finish>
void multiply_panel(index m0, index m1, index n, index k, const matrix<T>& a, index n0, const T* packed,
                    const matrix<T>* loose, Finish&& finish) noexcept {
  using size = tile_size<T>;
  alignas(tensor_alignment) T panel[static_cast<std::size_t>(size::depth) * size::columns];
  alignas(tensor_alignment) T sums[static_cast<std::size_t>(size::row_block) * size::columns];
  const auto count = static_cast<int>(std::min<index>(size::columns, n - n0));
  const index tiles = std::max<index>(1, (m1 - m0 + size::rows - 1) / size::rows);
  const index step = (m1 - m0 + tiles - 1) / tiles;  // even tiles: few rows alone would not fill the multipliers
  for (index k0 = 0; k0 == 0 || k0 < k; k0 += size::depth) {
    const index k1 = std::min(k, k0 + size::depth);
    if (loose != nullptr) pack_panel(*loose, n, n0, k0, k1, panel);
    const T* b = loose != nullptr ? panel : packed + k0 * size::columns;
    for (index i = m0; i < m1; i += step) {
      const index rows = std::min(step, m1 - i);
      T* tile = sums + (i - m0) * size::columns;
      const index at = k == 0 ? 0 : i * a.row_stride + k0 * a.column_stride;  // an empty matrix may be null
      const T* from = a.data + at;
      tile_for<T>(rows)(from, a.row_stride, a.column_stride, k1 - k0, b, 0, tile, size::columns, k0 > 0);
      if (k1 == k) finish_tile(finish, i, rows, n0, tile, size::columns, count);
    }
  }
}

/// Panels [p0, p1) of the product of one row with b; p0 is a multiple of packed_matrix::half_group.
template <class T, class Finish>
void multiply_row(const matrix<T>& a, const packed_matrix<T>& b, index p0, index p1, Finish&& finish) {
  using size = tile_size<T>;
  constexpr index group = packed_matrix<T>::half_group;  // panels side by side keep enough sums in flight
  alignas(tensor_alignment) T sums[group * size::columns];
  for (index p = p0; p < p1; p += group) {
    const index panels = std::min(group, p1 - p);
    for (index k0 = 0; k0 == 0 || k0 < b.k(); k0 += size::depth) {
      const index depth = std::min(b.k() - k0, size::depth);
      const T* from = a.data + k0 * a.column_stride;
      if constexpr (loads_halves && std::is_same_v<T, float>)
        if (const std::uint16_t* halves = b.half_panels(p)) {
          multiply_tile<T, 1, group>(from, 0, a.column_stride, depth, halves + k0 * group * size::columns,
                                     size::columns, sums, 0, k0 > 0, group * size::columns);
          continue;
        }
      if (panels == group)
        multiply_tile<T, 1, group>(from, 0, a.column_stride, depth, b.panel(p) + k0 * size::columns,
                                   b.k() * size::columns, sums, 0, k0 > 0);
      else
        for (index i = 0; i < panels; ++i)
          multiply_tile<T, 1, 1>(from, 0, a.column_stride, depth, b.panel(p + i) + k0 * size::columns, 0,
                                 sums + i * size::columns, 0, k0 > 0);
    }
    for (index i = 0; i < panels; ++i) {
      const index n0 = (p + i) * size::columns;
      finish(index{0}, n0, sums + i * size::columns, static_cast<int>(std::min<index>(size::columns, b.n() - n0)));
    }
  }
}

/// c = a b for a (m, k) and packed b (k, n); finish(row, column, sums, count) takes each finished piece of a row.
template <class T, class Finish>
void multiply(thread_pool& pool, index m, const matrix<T>& a, const packed_matrix<T>& b, Finish&& finish) {
  using size = tile_size<T>;
  if (m == 1 && b.n() > 0) {
    constexpr index group = packed_matrix<T>::half_group;
    const index half = (b.panels() / 2 + group - 1) / group * group;
    parallel_for(pool, b.panels(), b.k() * b.n() < 32768 || half == 0 ? b.panels() : half,
                 [&](index p0, index p1) { multiply_row<T>(a, b, p0, p1, finish); });
    return;
  }
  const index blocks = (m + size::row_block - 1) / size::row_block;
  pool.run(blocks * b.panels(), [&](index chunk) {
    const index m0 = chunk / b.panels() * size::row_block, p = chunk % b.panels();
    multiply_panel<T>(m0, std::min(m, m0 + size::row_block), b.n(), b.k(), a, p * size::columns, b.panel(p), nullptr,
                      finish);
  });
}

/// How a left-hand matrix is cut whose rows are not contiguous: they are copied, and each copy serves several panels.
template <class T>
struct strided_size {
  static constexpr index panels = 512 / static_cast<index>(tile_size<T>::columns * sizeof(T));
  static constexpr index depth = 128;
  static constexpr index rows = 48;
};

/// Multiplies rows [m0, m1) of a strided a (m, k), at most strided_size::rows, with `panels` panels of b from column
/// n0.
template <class T, class Finish>
void multiply_strided(index m0, index m1, index n, index k, const matrix<T>& a, index n0, index panels,
                      const matrix<T>& b, Finish&& finish) noexcept {
  using size = tile_size<T>;
  using cut = strided_size<T>;
  constexpr index stride = cut::panels * size::columns;
  alignas(tensor_alignment) T copy[static_cast<std::size_t>(cut::rows * cut::depth)];
  alignas(tensor_alignment) T panel[static_cast<std::size_t>(cut::depth * size::columns)];
  alignas(tensor_alignment) T sums[static_cast<std::size_t>(cut::rows * stride)];
  for (index k0 = 0; k0 == 0 || k0 < k; k0 += cut::depth) {
    const index depth = std::min(k - k0, cut::depth);
    for (index j = 0; j < depth; ++j)
      for (index i = m0; i < m1; i += size::rows) {
        const T* from = a.data + i * a.row_stride + (k0 + j) * a.column_stride;
        T* to = copy + (i - m0) * cut::depth + j * size::rows;
        if (a.row_stride == 1 && i + size::rows <= m1)
          std::memcpy(to, from, size::rows * sizeof(T));
        else
          for (index r = 0; r < std::min<index>(size::rows, m1 - i); ++r) to[r] = from[r * a.row_stride];
      }
    for (index p = 0; p < panels; ++p) {
      const index column = n0 + p * size::columns;
      pack_panel(b, n, column, k0, k0 + depth, panel);
      for (index i = m0; i < m1; i += size::rows) {
        const index rows = std::min<index>(size::rows, m1 - i);
        T* tile = sums + (i - m0) * stride + p * size::columns;
        tile_for<T>(rows)(copy + (i - m0) * cut::depth, 1, size::rows, depth, panel, 0, tile, stride, k0 > 0);
        if (k0 + depth == k)
          finish_tile(finish, i, rows, column, tile, stride,
                      static_cast<int>(std::min<index>(size::columns, n - column)));
      }
    }
  }
}

/// c = a b for strided a (m, k) and b (k, n), whose panels are packed on the way.
template <class T, class Finish>
void multiply(thread_pool& pool, index m, index n, index k, const matrix<T>& a, const matrix<T>& b, Finish&& finish) {
  using size = tile_size<T>;
  if (a.column_stride != 1 && m > 1) {
    using cut = strided_size<T>;
    const index groups = (n + cut::panels * size::columns - 1) / (cut::panels * size::columns);
    pool.run((m + cut::rows - 1) / cut::rows * groups, [&](index chunk) {
      const index m0 = chunk / groups * cut::rows, n0 = chunk % groups * cut::panels * size::columns;
      const index panels = std::min(cut::panels, (n - n0 + size::columns - 1) / size::columns);
      multiply_strided<T>(m0, std::min(m, m0 + cut::rows), n, k, a, n0, panels, b, finish);
    });
    return;
  }
  const index panels = (n + size::columns - 1) / size::columns, blocks = (m + size::row_block - 1) / size::row_block;
  pool.run(blocks * panels, [&](index chunk) {
    const index m0 = chunk / panels * size::row_block, p = chunk % panels;
    multiply_panel<T>(m0, std::min(m, m0 + size::row_block), n, k, a, p * size::columns, nullptr, &b, finish);
  });
}

}  // namespace anodiff::ops::cpu
