// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/resize.hpp>
#include <anodiff/models/knn.hpp>
#include <anodiff/pipeline/picture_detection.hpp>
#include <anodiff/preprocessing/local_contrast.hpp>
#include <cmath>
#include <memory>
#include <string_view>

/// What detectors of pictures are measured against: not part of the library. Higher is more anomalous.
namespace tiles {

using anodiff::index;
using picture = anodiff::tensor<float, 3>;  // (h, w, 1)
using map = anodiff::tensor<float, 2>;

/// Judges pictures as a detector does; one that has no map gives an empty one.
class judge {
 public:
  virtual ~judge() = default;
  virtual void fit(const anodiff::picture_list& normals) = 0;
  [[nodiscard]] virtual anodiff::picture_finding score(const picture& shown) const = 0;
};

/// A number of the whole picture, without a map.
class whole_picture final : public judge {
 public:
  explicit whole_picture(double (*number)(const picture&)) : number_{number} {}
  void fit(const anodiff::picture_list&) override {}
  [[nodiscard]] anodiff::picture_finding score(const picture& shown) const override {
    return {.score = number_(shown), .map = {}};
  }

 private:
  double (*number_)(const picture&);
};
inline double brightness(const picture& shown) {
  double sum = 0;
  for (const float v : shown.flat()) sum += static_cast<double>(v);
  return sum / static_cast<double>(shown.size());
}
inline double narrowness(const picture& shown) { return -static_cast<double>(shown.extent(1)); }

/// A map of the picture at half its size, prepared as image_default prepares it; the score is its largest value but for
/// four outer pixels, as there.
class half_size : public judge {
 public:
  void fit(const anodiff::picture_list& normals) override {
    std::vector<map> prepared;
    for (index i = 0; i < normals.count(); ++i) prepared.push_back(prepare(normals.load(i)));
    learn(prepared);
  }
  [[nodiscard]] anodiff::picture_finding score(const picture& shown) const override {
    const map found = judge_prepared(prepare(shown));
    constexpr index border = 4;
    anodiff::picture_finding out{.score = -std::numeric_limits<double>::infinity(), .map = {}};
    for (index i = border; i < found.extent(0) - border; ++i)
      for (index j = border; j < found.extent(1) - border; ++j)
        out.score = std::max(out.score, static_cast<double>(found(i, j)));
    const auto large = anodiff::formats::resize({found.data(), {found.extent(0), found.extent(1), 1}}, shown.extent(0),
                                                shown.extent(1));
    out.map = map{const_view(large).matrix()};
    return out;
  }

 protected:
  virtual void learn(std::span<const map> normals) = 0;
  [[nodiscard]] virtual map judge_prepared(const map& prepared) const = 0;
  [[nodiscard]] map blurred(const map& from, double sigma) const {
    const auto weights = anodiff::ops::gaussian_weights<float>(sigma);
    map out{from.extents()}, scratch{from.extents()};
    machine_.run(anodiff::ops::blur<float>{from.data(), out.data(), scratch.data(), &weights, 1, from.extent(0),
                                           from.extent(1), 1});
    return out;
  }
  anodiff::cpu_engine machine_{1};

 private:
  [[nodiscard]] map prepare(const picture& shown) const {
    const auto small = anodiff::formats::resize(shown, (shown.extent(0) + 1) / 2, (shown.extent(1) + 1) / 2);
    picture out{small.extents()};
    anodiff::preprocessing::local_contrast{}.apply(machine_, small, out);
    return map{const_view(out).matrix()};
  }
};

/// The difference of two blurs, of 1 and 4 pixels.
class blur_difference final : public half_size {
  void learn(std::span<const map>) override {}
  [[nodiscard]] map judge_prepared(const map& prepared) const override {
    const auto fine = blurred(prepared, 1), coarse = blurred(prepared, 4);
    map out{prepared.extents()};
    std::ranges::transform(fine.flat(), coarse.flat(), out.data(), [](float a, float b) { return std::abs(a - b); });
    return blurred(out, 1);
  }
};

/// A score for each patch of 8 x 8 pixels, every second place both ways; a pixel's is the mean over its patches.
class patches : public half_size {
 protected:
  static constexpr index side = 8, size = side * side;
  using rows = anodiff::tensor<float, 2>;  // (patches, size)
  static void copy(const map& from, index top, index left, float* to) {
    for (index i = 0; i < side; ++i) std::copy_n(&from(top + i, left), side, to + i * side);
  }
  /// Random patches of the normal pictures.
  [[nodiscard]] static rows drawn(std::span<const map> normals, index count, std::uint64_t seed) {
    rows out{{count, size}};
    const anodiff::noise_key key{.seed = seed, .use = anodiff::purpose::split};
    for (index p = 0; p < count; ++p) {
      const auto number = [&](std::uint64_t k, index below) {
        return static_cast<index>(
            anodiff::random_below(key, 3 * static_cast<std::uint64_t>(p) + k, static_cast<std::uint64_t>(below)));
      };
      const map& from = normals[static_cast<std::size_t>(number(0, static_cast<index>(normals.size())))];
      copy(from, number(1, from.extent(0) - side + 1), number(2, from.extent(1) - side + 1), out.row(p).data());
    }
    return out;
  }
  [[nodiscard]] virtual std::vector<double> scores_of(const rows& x) const = 0;

 private:
  [[nodiscard]] map judge_prepared(const map& prepared) const override {
    const auto places = [](index extent) {
      std::vector<index> out;
      for (index at = 0; at + side <= extent; at += 2) out.push_back(at);
      if (out.back() + side < extent) out.push_back(extent - side);
      return out;
    };
    const auto down = places(prepared.extent(0)), across = places(prepared.extent(1));
    rows x{{static_cast<index>(down.size() * across.size()), size}};
    index p = 0;
    for (const index top : down)
      for (const index left : across) copy(prepared, top, left, x.row(p++).data());
    const auto scores = scores_of(x);
    map sum{prepared.extents()}, count{prepared.extents()};
    p = 0;
    for (const index top : down)
      for (const index left : across) {
        const auto score = static_cast<float>(scores[static_cast<std::size_t>(p++)]);
        for (index i = top; i < top + side; ++i)
          for (index j = left; j < left + side; ++j) {
            sum(i, j) += score;
            count(i, j) += 1;
          }
      }
    std::ranges::transform(sum.flat(), count.flat(), sum.data(), [](float a, float b) { return a / b; });
    return blurred(sum, 1);
  }
};

/// The distance of a patch to the nearest of 4,000 normal ones.
class nearest_patch final : public patches {
 public:
  explicit nearest_patch(std::uint64_t seed) : seed_{seed} {}

 private:
  void learn(std::span<const map> normals) override { model_.remember(drawn(normals, 4000, seed_), seed_); }
  [[nodiscard]] std::vector<double> scores_of(const rows& x) const override {
    std::vector<double> distance(static_cast<std::size_t>(x.rows()));
    std::vector<index> place(distance.size());
    model_.neighbours(x, 1, {}, distance.data(), place.data());
    for (double& d : distance) d = std::sqrt(d / size);
    return distance;
  }
  std::uint64_t seed_;
  anodiff::models::knn<anodiff::cpu_engine> model_{{.reference_rows = 4000}, anodiff::cpu_engine{1}};
};

/// What principal components with 90 % of the variance of 40,000 normal patches leave of a patch.
class pca_patches final : public patches {
 public:
  explicit pca_patches(std::uint64_t seed) : seed_{seed} {}

 private:
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  static Eigen::Map<const matrix> view(const rows& x) { return {x.data(), x.rows(), size}; }
  void learn(std::span<const map> normals) override {
    const auto drawn_rows = drawn(normals, 40'000, seed_);
    const auto x = view(drawn_rows);
    mean_ = x.colwise().mean();
    const matrix centred = x.rowwise() - mean_;
    const Eigen::SelfAdjointEigenSolver<matrix> solved{centred.transpose() * centred};  // from the smallest up
    const float wanted = 0.9F * solved.eigenvalues().sum();
    index kept = 0;
    for (float sum = 0; sum < wanted; ++kept) sum += solved.eigenvalues()[size - 1 - kept];
    basis_ = solved.eigenvectors().rightCols(kept);
  }
  [[nodiscard]] std::vector<double> scores_of(const rows& x) const override {
    const matrix centred = view(x).rowwise() - mean_;
    const matrix left = centred - centred * basis_ * basis_.transpose();
    std::vector<double> out;
    for (index i = 0; i < x.rows(); ++i) out.push_back(static_cast<double>(left.row(i).norm()) / side);
    return out;
  }
  std::uint64_t seed_;
  Eigen::Matrix<float, 1, Eigen::Dynamic> mean_;
  matrix basis_;
};

/// A baseline by name; none where the name is the library's.
[[nodiscard]] inline std::unique_ptr<judge> make_baseline(std::string_view name, std::uint64_t seed) {
  if (name == "brightness") return std::make_unique<whole_picture>(brightness);
  if (name == "narrowness") return std::make_unique<whole_picture>(narrowness);
  if (name == "blur_difference") return std::make_unique<blur_difference>();
  if (name == "pca_patches") return std::make_unique<pca_patches>(seed);
  if (name == "nearest_patch") return std::make_unique<nearest_patch>(seed);
  return nullptr;
}
/// Whether the seed changes what a method says.
[[nodiscard]] inline bool is_seeded(std::string_view name) {
  return name != "brightness" && name != "narrowness" && name != "blur_difference";
}

}  // namespace tiles
