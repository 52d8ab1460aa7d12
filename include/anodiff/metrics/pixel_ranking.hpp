// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/tensor.hpp>
#include <anodiff/metrics/components.hpp>
#include <anodiff/metrics/ranking.hpp>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::metrics {

namespace detail {

/// Sorts by the upper 32 bits, keeping the order of equals: a radix sort in three passes, since all pixels of a test
/// set are many.
inline void sort_by_upper_half(std::vector<std::uint64_t>& keys) {
  constexpr int digit_bits = 11;
  constexpr std::size_t digits = std::size_t{1} << digit_bits;
  std::vector<std::uint64_t> other(keys.size());
  for (int shift = 32; shift < 64; shift += digit_bits) {
    std::array<std::size_t, digits> place{};
    for (const auto key : keys) place[key >> shift & (digits - 1)] += 1;
    for (std::size_t sum = 0; auto& count : place) sum += std::exchange(count, sum);
    for (const auto key : keys) other[place[key >> shift & (digits - 1)]++] = key;
    keys.swap(other);
  }
}

}  // namespace detail

/// A picture's map of scores, higher is more anomalous, with the truth.
struct labelled_map {
  tensor_view<const float, 2> map;                ///< (h, w)
  tensor_view<const std::uint8_t, 2> mask{};      ///< (h, w), not 0 where anomalous; left out for a normal picture
  tensor_view<const std::uint8_t, 2> interest{};  ///< (h, w), 0 where a pixel is left out; left out: none is
};

/// All pixels of all pictures sorted once, from the most to the least anomalous, exactly and without bins, with each
/// anomalous region (component of a mask, see connected_components) counted apart. Pixels of equal score form one
/// group; so do all normal pixels between two anomalous ones, since no curve here bends there. A copy shares the sort.
class pixel_ranking {
 public:
  /// who begins the error messages. Throws invalid_argument on no picture or a mask of another size than its map,
  /// numeric_error on a score that is not finite, memory_error from 2^31 pictures or regions on.
  explicit pixel_ranking(std::span<const labelled_map> pictures, std::string_view who = "pixel_ranking");

  /// The same pictures, picture i counted times[i] times: a resample, without a new sort. Throws invalid_argument
  /// where times has not one number for each picture.
  [[nodiscard]] pixel_ranking resampled(std::vector<std::uint32_t> times) const {
    check(times.size() == times_.size(), "pixel_ranking: needs one count for each of ", times_.size(),
          " pictures, got ", times.size());
    pixel_ranking out{*this};
    out.times_ = std::move(times);
    return out;
  }

  [[nodiscard]] std::size_t pictures() const noexcept { return times_.size(); }
  [[nodiscard]] bool is_anomalous(std::size_t picture) const noexcept { return sorted_->anomalous[picture] != 0; }

  /// Anomalous and normal pixels by score, for every metric of a ranking. Throws data_error where one of them is
  /// missing.
  [[nodiscard]] ranking pooled() const;

  /// Calls f(found, false_alarms) after each group, from the highest score down, until it gives false: the mean over
  /// regions of the share found, and the share of normal pixels, each in [0, 1]. Throws data_error without a region or
  /// without a normal pixel; who begins the message.
  template <class F>
  void walk(std::string_view who, F&& f) const;

 private:
  static constexpr std::uint32_t normal = std::uint32_t{1} << 31;  // marks a picture's number among regions' numbers

  struct count_of_part {
    std::uint32_t part;  // a region's number, or normal + a picture's
    std::uint32_t count;
  };
  struct group {
    float score;  // the highest in it
    std::size_t last;
  };
  struct sort {
    std::vector<count_of_part> counts;
    std::vector<group> groups;
    std::vector<std::uint32_t> picture_of_region;
    std::vector<std::int64_t> size_of_region, normals_of_picture;
    std::vector<std::uint8_t> anomalous;
  };

  [[nodiscard]] std::int64_t times(std::uint32_t part) const noexcept {
    return times_[(part & normal) != 0 ? part & ~normal : sorted_->picture_of_region[part]];
  }
  static std::vector<std::uint64_t> keys_of(std::span<const labelled_map> pictures, std::string_view who, sort& out);

  std::shared_ptr<const sort> sorted_;
  std::vector<std::uint32_t> times_;
};

/// One number for each pixel, whose order is by falling score: the score's bits, so turned, above the part's number.
inline std::vector<std::uint64_t> pixel_ranking::keys_of(std::span<const labelled_map> pictures, std::string_view who,
                                                         sort& out) {
  index pixels = 0;
  for (const auto& picture : pictures) pixels += picture.map.size();
  std::vector<std::uint64_t> keys;
  keys.reserve(static_cast<std::size_t>(pixels));
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    const auto& [map, truth, interest] = pictures[p];
    const bool has_mask = truth.size() > 0;
    check(interest.size() == 0 || interest.extents() == map.extents(), who,
          ": needs a region of interest of the size of its map, got ", to_string(interest.extents()), " and ",
          to_string(map.extents()), " for picture ", p + 1);
    tensor<std::uint8_t, 2> cut;
    if (has_mask && interest.extents() == truth.extents()) {
      cut = tensor<std::uint8_t, 2>{truth};
      for (index i = 0; i < cut.size(); ++i)
        if (interest.data()[i] == 0) cut.data()[i] = 0;
    }
    const auto mask = cut.size() > 0 ? const_view(cut) : truth;
    check(!has_mask || mask.extents() == map.extents(), who, ": needs a mask of the size of its map, got ",
          to_string(mask.extents()), " and ", to_string(map.extents()), " for picture ", p + 1);
    const auto first_region = out.size_of_region.size();
    const auto regions = has_mask ? connected_components(mask) : component_map{};
    for (const auto& part : regions.parts) {
      out.size_of_region.push_back(part.pixels);
      out.picture_of_region.push_back(static_cast<std::uint32_t>(p));
    }
    check<memory_error>(out.size_of_region.size() < normal, who, ": needs fewer than 2^31 regions");
    out.anomalous.push_back(regions.parts.empty() ? 0 : 1);
    out.normals_of_picture.push_back(0);
    for (index i = 0; i < map.size(); ++i) {
      if (interest.size() > 0 && interest.data()[i] == 0) continue;
      const float score = map.data()[i] + 0.0f;  // -0 ties with 0
      check<numeric_error>(std::isfinite(score), who, ": needs finite scores, got ", score, " in picture ", p + 1,
                           ", row ", i / map.extent(1) + 1, ", column ", i % map.extent(1) + 1);
      const auto bits = std::bit_cast<std::uint32_t>(score);
      const std::uint32_t falling = (bits & normal) != 0 ? bits : ~bits & ~normal;
      const auto number = has_mask ? regions.number.data()[i] : 0;
      if (number == 0) out.normals_of_picture.back() += 1;
      const auto part = number == 0 ? normal + static_cast<std::uint32_t>(p)
                                    : static_cast<std::uint32_t>(first_region) + static_cast<std::uint32_t>(number - 1);
      keys.push_back(std::uint64_t{falling} << 32 | part);
    }
  }
  return keys;
}

inline pixel_ranking::pixel_ranking(std::span<const labelled_map> pictures, std::string_view who)
    : times_(pictures.size(), 1) {
  check(!pictures.empty(), who, ": needs at least one picture, got none");
  check<memory_error>(pictures.size() < normal, who, ": needs fewer than 2^31 pictures");
  auto out = std::make_shared<sort>();
  auto keys = keys_of(pictures, who, *out);
  detail::sort_by_upper_half(keys);

  const auto score_of = [](std::uint64_t key) {
    const auto falling = static_cast<std::uint32_t>(key >> 32);
    return std::bit_cast<float>((falling & normal) != 0 ? falling : ~falling & ~normal);
  };
  std::vector<std::uint32_t> run(pictures.size(), 0), met;  // of normal pixels without an anomalous one: by picture
  const auto close = [&](float score) {
    if (out->groups.empty() ? out->counts.empty() : out->groups.back().last == out->counts.size()) return;
    out->groups.push_back({score, out->counts.size()});
  };
  float run_score = 0;
  const auto end_run = [&] {
    std::sort(met.begin(), met.end());
    for (const auto picture : met) out->counts.push_back({normal + picture, std::exchange(run[picture], 0)});
    met.clear();
    close(run_score);
  };
  for (std::size_t first = 0, last = 0; first < keys.size(); first = last) {
    bool found = false;  // an anomalous pixel of this score
    for (; last < keys.size() && keys[last] >> 32 == keys[first] >> 32; ++last)
      found = found || (static_cast<std::uint32_t>(keys[last]) & normal) == 0;
    if (!found) {
      if (met.empty()) run_score = score_of(keys[first]);
      for (std::size_t i = first; i < last; ++i) {
        const auto picture = static_cast<std::uint32_t>(keys[i]) & ~normal;
        if (run[picture]++ == 0) met.push_back(picture);
      }
      continue;
    }
    end_run();
    for (std::size_t i = first; i < last; ++i) {
      const auto part = static_cast<std::uint32_t>(keys[i]);
      if (i > first && out->counts.back().part == part)
        out->counts.back().count += 1;
      else
        out->counts.push_back({part, 1});
    }
    close(score_of(keys[first]));
  }
  end_run();
  sorted_ = std::move(out);
}

inline ranking pixel_ranking::pooled() const {
  std::vector<tie_group> groups;
  std::size_t at = 0;
  for (const auto& [score, last] : sorted_->groups) {
    tie_group sum{.score = static_cast<double>(score)};
    for (; at < last; ++at) {
      const auto& [part, count] = sorted_->counts[at];
      ((part & normal) != 0 ? sum.negatives : sum.positives) += times(part) * count;
    }
    if (sum.positives + sum.negatives > 0) groups.push_back(sum);
  }
  return ranking{std::move(groups)};
}

template <class F>
void pixel_ranking::walk(std::string_view who, F&& f) const {
  const auto& all = *sorted_;
  std::int64_t regions = 0, normals = 0;
  for (std::size_t k = 0; k < all.size_of_region.size(); ++k) regions += times(static_cast<std::uint32_t>(k));
  for (std::size_t p = 0; p < times_.size(); ++p) normals += times_[p] * all.normals_of_picture[p];
  check<data_error>(regions > 0, who, ": needs at least one anomalous region, got none");
  check<data_error>(normals > 0, who, ": needs at least one normal pixel, got none");
  std::vector<double> gain(all.size_of_region.size());
  for (std::size_t k = 0; k < gain.size(); ++k)
    gain[k] = static_cast<double>(times(static_cast<std::uint32_t>(k))) / static_cast<double>(all.size_of_region[k]);
  double found = 0;
  std::int64_t false_alarms = 0;
  std::size_t at = 0;
  for (const auto& [score, last] : all.groups) {
    for (; at < last; ++at) {
      const auto& [part, count] = all.counts[at];
      if ((part & normal) != 0)
        false_alarms += times(part) * count;
      else
        found += gain[part] * count;
    }
    if (!f(found / static_cast<double>(regions), static_cast<double>(false_alarms) / static_cast<double>(normals)))
      return;
  }
}

}  // namespace anodiff::metrics
