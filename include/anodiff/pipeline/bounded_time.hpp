// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/early_decision.hpp>
#include <anodiff/pipeline/detector.hpp>

namespace anodiff {

/// What is known of a row when its time is up.
struct timely_finding {
  double score = 0;  ///< sum of the pooled views seen
  index views = 0;   ///< that went into it
  calibration::early_decision::verdict verdict{};
};

/// Scores rows view by view, so that there is a score after each, and stops early: a row leaves as soon as it is
/// decided (see calibration::early_decision), all leave when the time is up. The detector's scorer must be able to
/// prepare one view (prepare_view) of squared errors, which are never negative; the score is the sum of the pooled
/// views. A row's finding does not depend on the rows beside it, the time limit aside. The detector is borrowed.
template <class Detector>
class bounded_time {
 public:
  using params = calibration::early_decision::params;

  /// Calibrates on normal samples that the detector has not learned from. Throws as early_decision::fit does.
  template <sample_array Samples>
  bounded_time(const Detector& detector, const Samples& normals, const params& numbers) : detector_{detector} {
    check(detector.is_fitted(), "bounded_time: the detector has learned nothing yet; call fit or load first");
    const auto x = const_view(normals);
    const auto z = detector_.prepared(x.matrix());
    tensor<double, 2> terms{{z.rows(), views()}};
    for (index v = 0; v < views(); ++v) {
      const auto column = pooled(v, z.view());
      for (index i = 0; i < z.rows(); ++i) terms(i, v) = column[static_cast<std::size_t>(i)];
    }
    decision_ = calibration::early_decision{numbers}.fit(terms.view());
  }
  [[nodiscard]] index views() const { return detector_.scorer_.views(); }
  [[nodiscard]] const calibration::early_decision::fitted& decision() const noexcept { return decision_; }

  /// Findings of samples x, in their order. after_view(v, findings) is called after each view, and ends the run where
  /// it returns false: a clock, or a look at the scores so far.
  template <sample_array Samples, class AfterView>
  [[nodiscard]] std::vector<timely_finding> score(const Samples& samples, AfterView&& after_view) const {
    const auto x = const_view(samples);
    const auto z = detector_.prepared(x.matrix());
    std::vector<timely_finding> out(static_cast<std::size_t>(z.rows()));
    std::vector<index> open(out.size());
    for (std::size_t i = 0; i < open.size(); ++i) open[i] = static_cast<index>(i);
    for (index v = 0; v < views() && !open.empty(); ++v) {
      tensor<float, 2> rows{{static_cast<index>(open.size()), z.row_size()}};
      for (std::size_t k = 0; k < open.size(); ++k)
        std::ranges::copy(z.row(open[k]), rows.row(static_cast<index>(k)).begin());
      const auto terms = pooled(v, rows.view());
      std::vector<index> left;
      for (std::size_t k = 0; k < open.size(); ++k) {
        auto& found = out[static_cast<std::size_t>(open[k])];
        found.score += terms[k];
        found.views = v + 1;
        found.verdict = decision_.decide(found.score, found.views);
        if (found.verdict == calibration::early_decision::verdict::open) left.push_back(open[k]);
      }
      open = std::move(left);
      if (!after_view(v, std::span<const timely_finding>{out})) break;
    }
    return out;
  }
  template <sample_array Samples>
  [[nodiscard]] std::vector<timely_finding> score(const Samples& samples) const {
    return score(samples, [](index, std::span<const timely_finding>) { return true; });
  }

 private:
  /// Rows z at one view, pooled.
  [[nodiscard]] std::vector<double> pooled(index view, tensor_view<const float, 2> z) const {
    constexpr index block = 256;
    auto run = detector_.scorer_.prepare_view(detector_.context(), view, std::min(block, std::max<index>(1, z.rows())));
    tensor<float, 3> evidence{{1, block, z.row_size()}};
    std::vector<double> out;
    for (index first = 0; first < z.rows(); first += block) {
      const index last = std::min(z.rows(), first + block);
      const tensor_view<float, 3> part{evidence.data(), {1, last - first, z.row_size()}};
      run.evidence(z.slice(first, last), part);
      for (index i = 0; i < last - first; ++i)
        out.push_back(detector_.pooler_.pool({part.data() + i * z.row_size(), static_cast<std::size_t>(z.row_size())}));
    }
    return out;
  }
  const Detector& detector_;
  calibration::early_decision::fitted decision_;
};

}  // namespace anodiff
