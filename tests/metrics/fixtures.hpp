// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace metrics_fixtures {

struct labelled {
  std::vector<double> scores;
  std::vector<int> labels;
};

/// Small sets with many ties; the expected values in the tests come from scikit-learn 1.2.1 (roc_auc_score,
/// average_precision_score, and max of 2 p r / (p + r) over precision_recall_curve), made with
///   i = np.arange(60);  y = ((i*13+5) % 7 == 0) * 1;   s = ((i*i*31+i*7) % 17) / 8. + y * (i % 3) / 2.   (set a)
///   i = np.arange(200); y = ((i*13+5) % 11 == 0) * 1;  s = ((i*i*31+i*7) % 97) / 8. + y * (1 + i % 3)    (set b)
inline labelled set_a() {
  labelled set;
  for (int i = 0; i < 60; ++i) {
    const int y = (i * 13 + 5) % 7 == 0;
    set.scores.push_back((i * i * 31 + i * 7) % 17 / 8.0 + y * (i % 3) / 2.0);
    set.labels.push_back(y);
  }
  return set;
}

inline labelled set_b() {
  labelled set;
  for (int i = 0; i < 200; ++i) {
    const int y = (i * 13 + 5) % 11 == 0;
    set.scores.push_back((i * i * 31 + i * 7) % 97 / 8.0 + y * (1 + i % 3));
    set.labels.push_back(y);
  }
  return set;
}

}  // namespace metrics_fixtures
