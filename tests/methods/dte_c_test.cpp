// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/read_table.hpp>
#include <anodiff/methods/dte_c.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <catch2/catch.hpp>

#include "support/real_data.hpp"
#include "support/small_rows.hpp"

namespace ad = anodiff;

// Livernoche et al. 2023, arXiv:2305.18593, table of AUROC, semi-supervised, column DTE-C
TEST_CASE("DTE-C meets a published figure under the published protocol", "[methods]") {
#ifdef ANODIFF_HAS_ZLIB
  const auto path = ad::test::real_data("adbench/classical/38_thyroid.npz");
  if (path.empty()) return;
  const auto table = ad::formats::read_table(path, {.allow_missing = true});
  const auto split = ad::published_protocol(table.labels, 0);
  auto train = ad::take_rows(table.values, split.train), test = ad::take_rows(table.values, split.test);
  ad::fill_missing_with_means(train, test);
  std::vector<int> labels;
  for (const auto row : split.test) labels.push_back(table.labels[static_cast<std::size_t>(row)]);
  ad::methods::dte_c<ad::cpu_engine> model{{.calibration_share = 0}};
  model.fit(train);
  CHECK(100 * ad::metrics::auroc(model.score(test, false).score, labels) == Approx(98.74).margin(2.0));
#endif
}

TEST_CASE("DTE-C: the mean class rises with the noise that a row carries", "[methods]") {
  auto numbers = ad::methods::dte_c<ad::cpu_engine>::options{.calibration_share = 0};
  numbers.training.steps = 800;
  numbers.training.rate = 1e-3;
  numbers.model.width = 64;
  ad::methods::dte_c<ad::cpu_engine> model{numbers};
  model.fit(ad::test::normal_rows(600, 8, 1));
  double before = -1;
  for (const double noise : {0.05, 0.35, 0.6, 0.9}) {
    auto rows = ad::test::normal_rows(400, 8, 2);
    for (ad::index i = 0; i < rows.rows(); ++i)
      for (ad::index j = 0; j < 8; ++j)
        rows(i, j) += noise * (1 + static_cast<double>(j)) *
                      ad::random_normal({.seed = 7}, static_cast<std::uint64_t>(8 * i + j));
    double mean = 0;
    for (const double s : model.score(rows, false).score) mean += s / 400;
    INFO("noise " << noise << ": mean class " << mean);
    CHECK(mean > before + 0.3);
    before = mean;
  }
}

TEST_CASE("DTE-C: as many outputs as classes", "[methods]") {
  auto numbers = ad::methods::dte_c<ad::cpu_engine>::options{};
  numbers.objective.bins = 5;
  ad::methods::dte_c<ad::cpu_engine> model{numbers};
  CHECK_THROWS_WITH(model.fit(ad::test::normal_rows(200, 3, 1)),
                    "trainer: the objective 'time_bins' needs a network with 5 outputs, got 7");
}
