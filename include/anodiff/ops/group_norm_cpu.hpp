// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/activation_cpu.hpp>
#include <anodiff/ops/group_norm.hpp>
#include <array>

namespace anodiff::ops::cpu {

namespace detail {

/// Channels that are worked on side by side: enough of them that memory is read in long runs.
inline constexpr index norm_block = 128;
/// Groups that a piece of work holds at most.
inline constexpr index norm_groups = 32;

/// Count, mean and sum of squared differences of some numbers.
struct moments {
  double count = 0, mean = 0, square = 0;
  /// Chan et al. 1979, "Updating formulae and a pairwise algorithm for computing sample variances", eq. 2.1.
  void merge(const moments& other) noexcept {
    const double both = count + other.count, apart = other.mean - mean;
    mean += apart * other.count / both;
    square += other.square + apart * apart * count * other.count / both;
    count = both;
  }
};

/// The moments of each channel of [0, count), count at most norm_block, over all pixels, with its first pixel as pivot.
template <class T>
void channel_moments(const T* x, index pixels, index stride, index count, moments* out) noexcept {
  using V = simd::vec<double>;
  constexpr index width = simd::lanes<double>;
  const index chunk = std::max<index>(1, 4096 / count);  // pixels whose channels stay in the nearest cache
  alignas(64) double sum[norm_block]{}, square[norm_block]{};
  for (index begin = 0; begin < pixels; begin += chunk)
    for_each_lanes_by<double, 4>(count, [&](index j, auto lanes, auto vectors) {
      V pivot[vectors], s[vectors], q[vectors];
      unrolled<vectors>([&](auto v) {
        pivot[v] = lanes.load(x + j + v * width);
        s[v] = lanes.load(sum + j + v * width);
        q[v] = lanes.load(square + j + v * width);
      });
      for (index i = begin; i < std::min(begin + chunk, pixels); ++i)
        unrolled<vectors>([&](auto v) {
          const V e = lanes.load(x + i * stride + j + v * width) - pivot[v];
          s[v] += e;
          q[v] += e * e;
        });
      unrolled<vectors>([&](auto v) {
        lanes.store(sum + j + v * width, s[v]);
        lanes.store(square + j + v * width, q[v]);
      });
    });
  const auto size = static_cast<double>(pixels);
  for (index j = 0; j < count; ++j)
    out[j] = {size, static_cast<double>(x[j]) + sum[j] / size, square[j] - sum[j] * sum[j] / size};
}

/// Calls f(picture, first group, last group) with up to norm_block channels a piece, and with 32 where threads would be
/// idle otherwise.
template <class F>
void for_each_norm_piece(thread_pool& pool, index n, index channels, index groups, F&& f) {
  const auto groups_of = [&](index side_by_side) {
    return std::clamp<index>(side_by_side / (channels / groups), 1, std::min(norm_groups, groups));
  };
  const index most = groups_of(norm_block);
  const index each = n * (groups / most) >= pool.threads() ? most : groups_of(32);
  const index pieces = (groups + each - 1) / each;
  pool.run(n * pieces,
           [&](index job) { f(job / pieces, job % pieces * each, std::min(groups, (job % pieces + 1) * each)); });
}

/// What each channel of a block is multiplied with, and what is added: z = (x − mean) slant + offset.
template <class T>
struct norm_block_of {
  alignas(64) T mean[norm_block], inverse[norm_block], slant[norm_block], offset[norm_block];

  /// first: the block's first channel; gain to level as in the operations; mean_of(group), inverse_of(group).
  template <class Operation, class Mean, class Inverse>
  norm_block_of(const Operation& op, index picture, index first, index count, Mean&& mean_of, Inverse&& inverse_of) {
    const index width = op.channels / op.groups;
    const T* row = op.table != nullptr ? op.table + op.level[picture] * 2 * op.channels : nullptr;
    for (index j = 0; j < count; ++j) {
      const index c = first + j;
      const T scale = row != nullptr ? 1 + row[c] : T{1};
      mean[j] = static_cast<T>(mean_of(c / width));
      inverse[j] = static_cast<T>(inverse_of(c / width));
      slant[j] = inverse[j] * op.gain[c] * scale;
      offset[j] = row != nullptr ? op.bias[c] * scale + row[op.channels + c] : op.bias[c];
    }
  }
};

}  // namespace detail

template <class T>
void run(const group_norm_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index width = op.channels / op.groups;
  if (op.pixels == 0) return;
  detail::for_each_norm_piece(pool, op.n, op.channels, op.groups, [&](index n, index first_group, index last_group) {
    const T* x = op.x + n * op.pixels * op.channels;
    T* y = op.y + n * op.pixels * op.channels;
    std::array<detail::moments, detail::norm_groups> group{};
    std::array<detail::moments, detail::norm_block> channel;
    const index first = first_group * width, last = last_group * width;
    for (index c = first; c < last; c += detail::norm_block) {
      const index count = std::min(detail::norm_block, last - c);
      detail::channel_moments(x + c, op.pixels, op.channels, count, channel.data());
      for (index j = 0; j < count; ++j)
        group[static_cast<std::size_t>((c + j) / width - first_group)].merge(channel[static_cast<std::size_t>(j)]);
    }
    const auto mean_of = [&](index g) { return group[static_cast<std::size_t>(g - first_group)].mean; };
    const auto inverse_of = [&](index g) {
      const auto& m = group[static_cast<std::size_t>(g - first_group)];
      return 1 / std::sqrt(m.square / m.count + op.epsilon);
    };
    for (index g = first_group; g < last_group; ++g) {
      if (op.mean != nullptr) op.mean[n * op.groups + g] = static_cast<T>(mean_of(g));
      if (op.inverse != nullptr) op.inverse[n * op.groups + g] = static_cast<T>(inverse_of(g));
    }
    with_kind(op.kind, [&]<activation Kind>() {
      for (index c = first; c < last; c += detail::norm_block) {
        const index count = std::min(detail::norm_block, last - c);
        const detail::norm_block_of<T> block{op, n, c, count, mean_of, inverse_of};
        for (index i = 0; i < op.pixels; ++i) {
          const T* from = x + i * op.channels + c;
          T* to = y + i * op.channels + c;
          for_each_lanes<T>(count, [&](index j, auto lanes) {
            const V normed = lanes.load(from + j) - lanes.load(block.mean + j);
            lanes.store(to + j, activate<Kind, V>(normed * lanes.load(block.slant + j) + lanes.load(block.offset + j)));
          });
        }
      }
    });
  });
}

template <class T>
void run(const group_norm_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index width = op.channels / op.groups;
  detail::for_each_norm_piece(pool, op.n, op.channels, op.groups, [&](index n, index first_group, index last_group) {
    const index start = n * op.pixels * op.channels, first = first_group * width, last = last_group * width;
    T *products = op.sums + n * 2 * op.channels, *sums = products + op.channels;  // Σ dz x̂ and Σ dz, by channel
    const auto mean_of = [&](index g) { return op.mean[n * op.groups + g]; };
    const auto inverse_of = [&](index g) { return op.inverse[n * op.groups + g]; };
    with_kind(op.kind, [&]<activation Kind>() {
      // x less its mean, and the gradient of what goes into f
      const auto each_pixel = [&](const detail::norm_block_of<T>& block, index c, index j, auto lanes, auto&& f) {
        const V mean = lanes.load(block.mean + j), slant = lanes.load(block.slant + j);
        const V offset = lanes.load(block.offset + j);
        for (index i = 0; i < op.pixels; ++i) {
          const index at = start + i * op.channels + c + j;
          const V centred = lanes.load(op.x + at) - mean;
          f(at, centred, V(lanes.load(op.dy + at) * slope<Kind, V>(centred * slant + offset)));
        }
      };
      for (index c = first; c < last; c += detail::norm_block) {
        const index count = std::min(detail::norm_block, last - c);
        const detail::norm_block_of<T> block{op, n, c, count, mean_of, inverse_of};
        for_each_lanes<T>(count, [&](index j, auto lanes) {
          V product{}, sum{};
          each_pixel(block, c, j, lanes, [&](index, const V& centred, const V& dz) {
            product += dz * centred;
            sum += dz;
          });
          lanes.store(products + c + j, product * lanes.load(block.inverse + j));
          lanes.store(sums + c + j, sum);
        });
      }
      if (op.dx == nullptr) return;
      std::array<std::array<double, 2>, detail::norm_groups> group{};
      const T* row = op.table != nullptr ? op.table + op.level[n] * 2 * op.channels : nullptr;
      for (index c = first; c < last; ++c) {
        const double gain = static_cast<double>(op.gain[c]) * (row != nullptr ? 1 + static_cast<double>(row[c]) : 1);
        auto& of = group[static_cast<std::size_t>(c / width - first_group)];
        of[0] += gain * static_cast<double>(sums[c]);
        of[1] += gain * static_cast<double>(products[c]);
      }
      const auto size = static_cast<double>(op.pixels * width);
      for (index c = first; c < last; c += detail::norm_block) {
        const index count = std::min(detail::norm_block, last - c);
        const detail::norm_block_of<T> block{op, n, c, count, mean_of, inverse_of};
        alignas(64) T average[detail::norm_block], tilt[detail::norm_block];
        for (index j = 0; j < count; ++j) {
          const auto& of = group[static_cast<std::size_t>((c + j) / width - first_group)];
          const auto inverse = static_cast<double>(block.inverse[j]);
          average[j] = static_cast<T>(of[0] / size * inverse);
          tilt[j] = static_cast<T>(of[1] / size * inverse * inverse);
        }
        for_each_lanes<T>(count, [&](index j, auto lanes) {
          const V slant = lanes.load(block.slant + j), mean = lanes.load(average + j), lean = lanes.load(tilt + j);
          each_pixel(block, c, j, lanes, [&](index at, const V& centred, const V& dz) {
            const V value = dz * slant - mean - centred * lean;
            lanes.store(op.dx + at, op.accumulate ? lanes.load(op.dx + at) + value : value);
          });
        });
      }
    });
  });
  parallel_for(pool, op.channels, 64, [&](index first, index last) {
    for (index n = 0; n < op.n; ++n) {
      T *products = op.sums + n * 2 * op.channels, *sums = products + op.channels;
      const T* row = op.table != nullptr ? op.table + op.level[n] * 2 * op.channels : nullptr;
      for (index c = first; c < last; ++c) {
        const T scale = row != nullptr ? 1 + row[c] : T{1};
        if (op.dgain != nullptr) {
          op.dgain[c] += products[c] * scale;
          op.dbias[c] += sums[c] * scale;
        }
        products[c] = products[c] * op.gain[c] + sums[c] * op.bias[c];
      }
    }
  });
}

}  // namespace anodiff::ops::cpu
