// SPDX-License-Identifier: Apache-2.0
// A detector of one's own: the policies are types, in any order; the numbers are values. What the list leaves out has a
// default (methods/detector.hpp).
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/conditioning/none.hpp>
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pooling/max.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include <cstdio>
#include <exception>

#include "pump.hpp"

namespace ad = anodiff;

namespace {

template <class Pooling>
using inspector =
    ad::detector<ad::schedules::cosine, ad::models::mlp<ad::cpu_engine>, ad::samplers::ddim, ad::conditioning::none,
                 ad::scorers::reconstruction<ad::distances::l1>, Pooling, ad::calibration::conformal>;

template <class Pooling>
double auroc_with() {
  // Rows are brought to a quarter of the schedule by noise, and back in 8 steps; the mean of 4 such runs counts.
  inspector<Pooling> model{{.start = ad::start::noised(0.25),
                            .steps = 8,
                            .seed = 7,
                            .training = {.steps = 300, .batch = 128, .rate = 2e-3, .average = 0.99},
                            .model = {.width = 64, .layers = 2},
                            .scorer = {.repeats = 4}}};
  model.fit(pump::rows(600, 1));  // (600, 6)
  std::vector<int> labels(250);
  std::fill(labels.begin() + 200, labels.end(), 1);
  const auto found = model.score(pump::joined(pump::rows(200, 2), pump::rows(50, 3, true)));  // (250, 6)
  const double auroc = ad::metrics::auroc(found.score, labels);
  std::printf("pooled by %-5s AUROC %.3f\n", Pooling::name.data(), auroc);
  return auroc;
}

bool lesson() {
  const double mean = auroc_with<ad::pooling::mean>();
  const double max = auroc_with<ad::pooling::max>();  // one policy changed: the worst column instead of all six
  std::printf("both at least 0.95 expected\n");
  return mean >= 0.95 && max >= 0.95;
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
