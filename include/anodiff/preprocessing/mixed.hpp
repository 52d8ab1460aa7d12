// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/normal_quantile.hpp>
#include <anodiff/preprocessing/standardize.hpp>
#include <array>
#include <cstdint>

namespace anodiff::preprocessing {

/// How a numeric column is scaled: to unit deviation, or by rank to the quantiles of a normal distribution.
enum class numeric_scale : std::uint8_t { standard, quantile };
[[nodiscard]] constexpr auto names_of(numeric_scale) { return std::array<std::string_view, 2>{"standard", "quantile"}; }

struct mixed_params {
  numeric_scale numeric = numeric_scale::standard;  ///< of the numeric columns

  static constexpr void fields(auto& self, auto&& field) { field("numeric", self.numeric); }
};

/// What `mixed` has learned. Each output is z = (v − centre) / spread: v is a numeric value, or 1 and 0 for an
/// indicator. A numeric column has two outputs, its value and "was missing"; one of K categories has K + 2: one for
/// each, "other", and "was missing".
class mixed_columns {
 public:
  mixed_columns() = default;
  mixed_columns(std::vector<index> categories, std::vector<double> usual)
      : categories_{std::move(categories)}, offset_{std::move(usual)}, scale_(categories_.size(), 1.0) {
    first_.push_back(0);
    for (std::size_t j = 0; j < categories_.size(); ++j) {
      first_.push_back(first_.back() + outputs_of(categories_[j]));
      origin_.resize(first_.back(), static_cast<index>(j));
    }
    centre_.resize(origin_.size());
    spread_.resize(origin_.size(), 1.0);
    knots_.resize(categories_.size());
  }
  [[nodiscard]] static std::size_t outputs_of(index categories) noexcept {
    return categories == 0 ? 2 : static_cast<std::size_t>(categories) + 2;
  }

  /// in (d): numbers, codes, NaN where missing; out (outputs()). What is no code of a category counts as other.
  void apply(std::span<const double> in, std::span<float> out) const noexcept {
    for (std::size_t j = 0; j < in.size(); ++j) {
      const bool missing = std::isnan(in[j]);
      const std::size_t first = first_[j], last = first_[j + 1] - 1;
      out[last] = scaled(last, missing ? 1 : 0);
      if (missing)
        for (std::size_t o = first; o < last; ++o) out[o] = 0;
      else if (categories_[j] > 0)
        for (std::size_t o = first, held = first + code_of(j, in[j]); o < last; ++o)
          out[o] = scaled(o, o == held ? 1 : 0);
      else if (knots_[j].value.empty())
        out[first] = scaled(first, in[j]);
      else
        out[first] = static_cast<float>(mapped(j, in[j]));
    }
  }
  /// The value, or the indicator's 0 or 1, that has become z.
  [[nodiscard]] double invert(index output, float z) const noexcept {
    const auto o = static_cast<std::size_t>(output), j = static_cast<std::size_t>(origin_[o]);
    const auto v = static_cast<double>(z);
    if (o != first_[j] || knots_[j].value.empty()) return centre_[o] + spread_[o] * v;
    const auto& [value, image] = knots_[j];
    if (v <= image.front()) return value.front() + spread_[o] * (v - image.front());
    if (v >= image.back()) return value.back() + spread_[o] * (v - image.back());
    return between(image, value, v);
  }

  [[nodiscard]] index outputs() const noexcept { return static_cast<index>(origin_.size()); }
  [[nodiscard]] index origin(index output) const noexcept { return origin_[static_cast<std::size_t>(output)]; }
  /// (d): of each column; 0 = numeric.
  [[nodiscard]] std::span<const index> categories() const noexcept { return categories_; }
  /// (d): mean and deviation of a numeric column; code of the most frequent category, and 1.
  [[nodiscard]] std::span<const double> offset() const noexcept { return offset_; }
  [[nodiscard]] std::span<const double> scale() const noexcept { return scale_; }

  void set_output(std::size_t j, std::size_t place, double centre, double spread) {
    centre_[first_[j] + place] = centre;
    spread_[first_[j] + place] = spread;
  }
  void set_numeric(std::size_t j, double mean, double deviation) {
    set_output(j, 0, mean, deviation);
    offset_[j] = mean;
    scale_[j] = deviation;
  }
  void set_usual(std::size_t j, double code) { offset_[j] = code; }
  /// Both rise.
  void set_knots(std::size_t j, std::vector<double> value, std::vector<double> image) {
    knots_[j] = {std::move(value), std::move(image)};
  }

  /// Calls visit(name, values) for each table.
  template <class Visit>
  void tensors(Visit&& visit) const {
    const std::vector<double> categories(categories_.begin(), categories_.end());
    visit("categories", std::span<const double>{categories});
    visit("offset", offset());
    visit("centre", std::span<const double>{centre_});
    visit("spread", std::span<const double>{spread_});
    std::vector<double> count, value, image;
    for (const auto& k : knots_) {
      count.push_back(static_cast<double>(k.value.size()));
      value.insert(value.end(), k.value.begin(), k.value.end());
      image.insert(image.end(), k.image.begin(), k.image.end());
    }
    if (value.empty()) return;
    visit("knots", std::span<const double>{count});
    visit("knot_values", std::span<const double>{value});
    visit("knot_images", std::span<const double>{image});
  }
  /// The same from read(name, count), which gives finite values, count of them; with count -1 any number, none where
  /// there is no such table. Throws data_error for what tensors() cannot have given of d columns.
  template <class Read>
  [[nodiscard]] static mixed_columns restored(index d, Read&& read) {
    const auto whole = [](std::string_view what, double v, double most) {
      check<data_error>(v >= 0 && v <= most && v == std::floor(v), "preprocessing.", what,
                        " must be a whole number in [0, ", most, "], got ", v);
      return static_cast<std::size_t>(v);
    };
    std::vector<index> categories;
    index outputs = 0;
    const std::vector<double> given = read("categories", d);
    for (const double k : given) {
      categories.push_back(static_cast<index>(whole("categories", k, most_categories)));
      outputs += static_cast<index>(outputs_of(categories.back()));
    }
    auto centre = read("centre", outputs), spread = read("spread", outputs);  // before anything of that size is made
    for (const double s : spread) check<data_error>(s > 0, "preprocessing.spread must be above 0, got ", s);
    mixed_columns out{std::move(categories), read("offset", d)};
    out.centre_ = std::move(centre);
    out.spread_ = std::move(spread);
    for (std::size_t j = 0; j < out.categories_.size(); ++j)
      if (out.categories_[j] == 0) out.scale_[j] = out.spread_[out.first_[j]];
    const auto value = read("knot_values", -1);
    if (value.empty()) return out;
    const auto image = read("knot_images", static_cast<index>(value.size())), count = read("knots", d);
    std::size_t at = 0;
    for (std::size_t j = 0; j < count.size(); ++j) {
      const auto n = whole("knots", count[j], static_cast<double>(value.size() - at));
      check<data_error>(n != 1 && (n == 0 || out.categories_[j] == 0),
                        "preprocessing.knots must be 0 or at least 2, and 0 for a column of categories, got ", n);
      const auto from = static_cast<std::ptrdiff_t>(at), to = static_cast<std::ptrdiff_t>(at + n);
      knots k{{value.begin() + from, value.begin() + to}, {image.begin() + from, image.begin() + to}};
      for (const auto* list : {&k.value, &k.image})
        check<data_error>(std::ranges::adjacent_find(*list, std::greater_equal{}) == list->end(),
                          "preprocessing.knots of column ", j, " must rise");
      out.knots_[j] = std::move(k);
      at += n;
    }
    return out;
  }

 private:
  static constexpr double most_categories = 1 << 20;
  struct knots {
    std::vector<double> value, image;
  };

  [[nodiscard]] float scaled(std::size_t output, double v) const noexcept {
    return static_cast<float>((v - centre_[output]) / spread_[output]);
  }
  [[nodiscard]] std::size_t code_of(std::size_t j, double v) const noexcept {
    const auto count = static_cast<double>(categories_[j]);
    return static_cast<std::size_t>(v >= 0 && v < count && v == std::floor(v) ? v : count);
  }
  [[nodiscard]] double mapped(std::size_t j, double v) const noexcept {
    const auto& [value, image] = knots_[j];
    const double spread = spread_[first_[j]];
    if (v <= value.front()) return image.front() + (v - value.front()) / spread;
    if (v >= value.back()) return image.back() + (v - value.back()) / spread;
    return between(value, image, v);
  }
  [[nodiscard]] static double between(const std::vector<double>& from, const std::vector<double>& to,
                                      double v) noexcept {
    const auto after = static_cast<std::size_t>(std::ranges::upper_bound(from, v) - from.begin());
    return std::lerp(to[after - 1], to[after], (v - from[after - 1]) / (from[after] - from[after - 1]));
  }

  std::vector<index> categories_;
  std::vector<double> offset_, scale_;   // (d)
  std::vector<std::size_t> first_;       // (d + 1), outputs before a column's
  std::vector<index> origin_;            // (outputs)
  std::vector<double> centre_, spread_;  // (outputs)
  std::vector<knots> knots_;             // (d), empty where a column is not mapped by rank
};

/// Numbers, categories and missing values together. A numeric column is standardised, or mapped by rank to normal
/// quantiles (mid-ranks for ties, linear between at most 1024 of them, of the deviation's slope beyond the ends). A
/// category becomes indicators, centred, of spread √(p c), with p its smoothed share (n_k + ½) / (n + ½ (K + 1)): the
/// scaling of factor analysis of mixed data (Pagès 2004, Revue de statistique appliquée 52(4)), by which a rare
/// category lies further out; c makes the variances of the column's indicators add up to 1, a numeric column's. A
/// missing value lies at its column's centre, z = 0, and shows in the indicator "was missing", of spread √((m + ½) / (n
/// + 1)) where m of n were missing: the rarer a gap in a column was, the more it says.
class mixed {
 public:
  using params = mixed_params;
  using fitted = mixed_columns;
  static constexpr std::string_view name = "mixed";
  static constexpr bool handles_missing = true;
  static constexpr std::size_t most_knots = 1024;

  explicit mixed(params p = {}) : params_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  /// Values that a row of such columns becomes. categories (d): of each column; 0 = numeric.
  [[nodiscard]] index outputs(std::span<const index> categories) const noexcept {
    index sum = 0;
    for (const index k : categories) sum += static_cast<index>(mixed_columns::outputs_of(k));
    return sum;
  }
  /// x (n, d): finite numbers, codes 0 … K − 1, any other value of a column of K categories for "other", NaN where
  /// missing; n >= 1. categories (d). Throws data_error where a column's values lie too far apart for a double.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x, std::span<const index> categories) const {
    fitted out{{categories.begin(), categories.end()}, std::vector<double>(categories.size())};
    const auto n = static_cast<double>(x.rows());
    std::vector<double> present;
    for (std::size_t j = 0; j < categories.size(); ++j) {
      present.clear();
      for (index i = 0; i < x.rows(); ++i)
        if (const double v = x.row(i)[j]; !std::isnan(v)) present.push_back(v);
      const double missing = n - static_cast<double>(present.size());
      out.set_output(j, fitted::outputs_of(categories[j]) - 1, missing / n, std::sqrt((missing + 0.5) / (n + 1)));
      if (categories[j] > 0)
        fit_categories(present, j, static_cast<std::size_t>(categories[j]), out);
      else
        fit_numbers(present, j, out);
    }
    return out;
  }
  /// The same for numeric columns alone.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x) const {
    return fit(x, std::vector<index>(static_cast<std::size_t>(x.row_size())));
  }

 private:
  void fit_numbers(std::vector<double>& present, std::size_t j, fitted& out) const {
    if (present.empty()) return out.set_numeric(j, 0, 1);
    const auto learned = standardize{}.fit({present.data(), {static_cast<index>(present.size()), 1}}, j);
    out.set_numeric(j, learned.offset()[0], learned.scale()[0]);
    if (params_.numeric == numeric_scale::quantile) map_by_rank(present, j, out);
  }
  static void map_by_rank(std::vector<double>& values, std::size_t j, fitted& out) {
    std::ranges::sort(values);
    const auto n = static_cast<double>(values.size());
    std::vector<double> value, image, count;
    double mean = 0, square = 0;
    for (std::size_t first = 0, last = 0; first < values.size(); first = last) {
      while (last < values.size() && values[last] == values[first]) ++last;
      const double middle = (static_cast<double>(first) + static_cast<double>(last)) / 2;
      value.push_back(values[first]);
      image.push_back(metrics::normal_quantile((middle + 0.5) / (n + 1)));
      count.push_back(static_cast<double>(last - first));
      mean += count.back() * image.back() / n;
    }
    if (value.size() < 2) return;
    for (std::size_t k = 0; k < value.size(); ++k) square += count[k] * std::pow(image[k] - mean, 2) / n;
    const double deviation = std::sqrt(square);
    const std::size_t kept = std::min(value.size(), most_knots);
    for (std::size_t k = 0; k < kept; ++k) {
      const std::size_t at = k * (value.size() - 1) / (kept - 1);
      value[k] = value[at];
      image[k] = (image[at] - mean) / deviation;
    }
    value.resize(kept);
    image.resize(kept);
    out.set_knots(j, std::move(value), std::move(image));
  }
  static void fit_categories(std::span<const double> present, std::size_t j, std::size_t known, fitted& out) {
    std::vector<double> count(known + 1);
    for (const double v : present) {
      const bool code = v >= 0 && v < static_cast<double>(known) && v == std::floor(v);
      ++count[code ? static_cast<std::size_t>(v) : known];
    }
    const auto n = static_cast<double>(present.size()), kinds = static_cast<double>(known + 1);
    const auto smoothed = [&](double c) { return (c + 0.5) / (n + 0.5 * kinds); };
    const auto share = [&](double c) { return n > 0 ? c / n : 1 / kinds; };
    double variance = 0;
    for (const double c : count) variance += share(c) * (1 - share(c)) / smoothed(c);
    if (!(variance > 0)) variance = 1;
    for (std::size_t k = 0; k <= known; ++k)
      out.set_output(j, k, share(count[k]), std::sqrt(smoothed(count[k]) * variance));
    out.set_usual(j, static_cast<double>(std::ranges::max_element(count) - count.begin()));
  }

  params params_;
};
static_assert(preprocessor<mixed>);

}  // namespace anodiff::preprocessing
