// SPDX-License-Identifier: Apache-2.0
// Learn from normal rows alone, then score new ones. No single value of a faulty row is out of range: what is wrong is
// how its values go together.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <cstdio>
#include <exception>

#include "pump.hpp"

namespace ad = anodiff;

namespace {

bool lesson() {
  const auto normals = pump::rows(600, 1);                                       // (600, 6): no anomalies, no labels
  const auto fresh = pump::joined(pump::rows(200, 2), pump::rows(50, 3, true));  // (250, 6): the last 50 are faulty

  using method = ad::methods::denoising_error<ad::cpu_engine>;
  method::options numbers;  // those of the method, but for a small network and a short training
  numbers.seed = 7;
  numbers.model.width = 64;
  numbers.training.steps = 300;
  method model{numbers};
  model.fit(normals);

  const ad::detection found = model.score(fresh);  // score, p_value, is_anomaly: (250); evidence: (250, 6)
  std::vector<int> labels(250);
  std::fill(labels.begin() + 200, labels.end(), 1);
  const auto alarms = [&](int kind) {
    int count = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) count += labels[i] == kind && found.is_anomaly[i] != 0;
    return count;
  };
  const double auroc = ad::metrics::auroc(found.score, labels);
  std::printf("%d of 50 faulty rows found; %d of 200 normal rows gave an alarm, %.0f %% promised\n", alarms(1),
              alarms(0), 100 * *model.promised_rate());
  std::printf("AUROC %.3f, at least 0.95 expected\n", auroc);
  return auroc >= 0.95;
}

}  // namespace

int main() {
  try {
    return lesson() ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
