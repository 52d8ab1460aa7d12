// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/ops/nearest.hpp>
#include <anodiff/scorers/picture_features.hpp>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

namespace anodiff::scorers {

/// Activations of normal pictures, as they were.
struct remembered_features {
  std::vector<float> values;  ///< (count, channels)
  std::vector<float> square;  ///< (count): squared norms
  index channels = 0;
  template <class F>
  void tensors(F&& f) const {
    f("features", std::span<const float>{values});
    f("square", std::span<const float>{square});
  }
  /// find(name) gives a span of floats. Throws data_error where the sizes do not belong together.
  template <class Find>
  void restore(Find&& find) {
    const auto found = find("features"), norms = find("square");
    check<data_error>(!norms.empty() && !found.empty() && found.size() % norms.size() == 0, "features: ", norms.size(),
                      " remembered activations cannot have ", found.size(), " values");
    values.assign(found.begin(), found.end());
    square.assign(norms.begin(), norms.end());
    channels = static_cast<index>(found.size() / norms.size());
  }
};

/// Keeps an even sample of the activations it is given, however many they are: the same for the same pictures in the
/// same order. Vitter 1985, "Random sampling with a reservoir", algorithm R.
class feature_sample {
 public:
  static constexpr index most = 4096;

  void add(tensor_view<const float, 2> features) {
    kept_.channels = features.row_size();
    for (index i = 0; i < features.rows(); ++i, ++seen_) {
      const auto row = features.row(i);
      if (seen_ < most) {
        kept_.values.insert(kept_.values.end(), row.begin(), row.end());
        continue;
      }
      const double place = random_uniform({.use = purpose::split}, static_cast<std::uint64_t>(seen_));
      const auto slot = static_cast<index>(place * static_cast<double>(seen_ + 1));
      if (slot < most) std::copy(row.begin(), row.end(), kept_.values.begin() + slot * kept_.channels);
    }
  }
  [[nodiscard]] remembered_features conclude() const {
    remembered_features out = kept_;
    for (auto at = out.values.begin(); at != out.values.end(); at += out.channels) {
      double sum = 0;
      for (auto value = at; value != at + out.channels; ++value) sum += static_cast<double>(*value) * double{*value};
      out.square.push_back(static_cast<float>(sum));
    }
    return out;
  }

 private:
  remembered_features kept_;
  index seen_ = 0;
};

/// How far a network's last activations lie from the nearest ones that normal pictures gave, among a sample of 4096, in
/// one call without noise. PatchCore (Roth et al. 2022, arXiv:2106.08265, eq. 6, without its re-weighting) with the
/// denoiser's own features. Needs what picture_features needs.
class nearest_features : public feature_scorer<nearest_features> {
 public:
  using learned = remembered_features;
  using study = feature_sample;
  static constexpr std::string_view name = "nearest_features";

  explicit nearest_features(params p = {}) : feature_scorer{p} {}

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, double depth)
        : machine_{context.machine()}, features_{context, depth, max_rows} {}
    [[nodiscard]] index views() const noexcept { return 1; }

    /// Adds the activations of normal pictures x (n, h w c).
    void study(tensor_view<const float, 2> x, feature_sample& known) {
      for (index i = 0; i < x.rows(); ++i) known.add(features_.of(x.row(i).data()));
    }
    void evidence(tensor_view<const float, 2> x, const remembered_features& known, tensor_view<float, 3> out) {
      const auto count = static_cast<index>(known.square.size());
      const auto product = machine_.prepare_transposed(known.values.data(), known.channels, count);
      for (index i = 0; i < x.rows(); ++i) {
        const auto found = features_.of(x.row(i).data());
        check(known.channels == found.row_size(), "scorers::nearest_features: has learned ", known.channels,
              " channels, the network gives ", found.row_size());
        squared_.resize(static_cast<std::size_t>(found.rows()));
        place_.resize(squared_.size());
        ops::nearest<float, decltype(&product)> op{};
        op.query = found.data();
        op.reference = known.values.data();
        op.product = &product;
        op.square = known.square.data();
        op.rows = found.rows();
        op.count = count;
        op.row_size = known.channels;
        op.k = 1;
        op.distance = squared_.data();
        op.place = place_.data();
        machine_.run(op);
        distance_.resize(squared_.size());
        std::transform(squared_.begin(), squared_.end(), distance_.begin(),
                       [](double square) { return static_cast<float>(std::sqrt(square)); });
        features_.spread(distance_.data(), out.data() + i * x.row_size());
      }
    }

   private:
    typename Context::machine_type machine_;
    picture_features<Context> features_;
    std::vector<double> squared_;
    std::vector<index> place_;
    std::vector<float> distance_;
  };
};
static_assert(policy<nearest_features>);

}  // namespace anodiff::scorers
