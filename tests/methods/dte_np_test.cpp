// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/read_table.hpp>
#include <anodiff/methods/dte_np.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <catch2/catch.hpp>

#include "support/real_data.hpp"

namespace ad = anodiff;

namespace {

/// Mean AUROC in per cent over five seeds under the protocol of the DTE paper.
double published_auroc(const std::string& path) {
  const auto table = ad::formats::read_table(path, {.allow_missing = true});
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto split = ad::published_protocol(table.labels, seed);
    auto train = ad::take_rows(table.values, split.train), test = ad::take_rows(table.values, split.test);
    ad::fill_missing_with_means(train, test);
    std::vector<int> labels;
    for (const auto row : split.test) labels.push_back(table.labels[static_cast<std::size_t>(row)]);
    ad::methods::dte_np<ad::cpu_engine> model{{.calibration_share = 0}};
    model.fit(train);
    sum += ad::metrics::auroc(model.score(test, false).score, labels);
  }
  return 100 * sum / 5;
}

}  // namespace

// Livernoche et al. 2023, arXiv:2305.18593, table of AUROC, semi-supervised, column DTE-NP
TEST_CASE("DTE-NP meets its published figures under the published protocol") {
#ifdef ANODIFF_HAS_ZLIB
  for (const auto& [name, figure] :
       {std::pair{"38_thyroid", 98.63}, {"31_satimage-2", 99.67}, {"28_pendigits", 99.61}}) {
    const auto path = ad::test::real_data(ad::concat("adbench/classical/", name, ".npz"));
    if (path.empty()) continue;
    CAPTURE(name);
    CHECK(published_auroc(path) == Approx(figure).margin(1.0));
  }
#endif
}

TEST_CASE("DTE-NP is the mean squared distance to the nearest rows over the number of columns") {
  ad::tensor<double, 2> train{{3, 1}}, query{{1, 1}};
  train(0, 0) = -1;
  train(1, 0) = 0;
  train(2, 0) = 1;  // mean 0, population deviation sqrt(2/3)
  query(0, 0) = 2;
  ad::methods::dte_np<ad::cpu_engine> model{{.calibration_share = 0, .scorer = {.neighbours = 2}}};
  model.fit(train);
  CHECK(model.score(query).score[0] == Approx((1.0 + 4.0) / 2 * 1.5));
}
