// SPDX-License-Identifier: Apache-2.0
// The main job on real rows: learn what benign tumours look like, promise a rate of false alarms, and find malignant
// ones.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/read_table.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string_view>

namespace ad = anodiff;

namespace {

bool draw_bar(const ad::progress& p) {
  constexpr int width = 40;
  const int filled = p.total > 0 ? static_cast<int>(width * p.done / p.total) : 0;
  std::fprintf(stderr, "\r%-9s [%.*s%*s] %lld/%lld  %4.1f s ", p.stage, filled,
               "########################################", width - filled, "", static_cast<long long>(p.done),
               static_cast<long long>(p.total), p.seconds);
  if (std::string_view{p.stage} == "train") std::fprintf(stderr, " loss %.3f ", p.loss);
  if (p.done == p.total) std::fputc('\n', stderr);
  return true;
}

void job(const char* path) {
  const auto table = ad::formats::read_table(path, {.id_column = "id", .label_column = "anomaly"});
  const auto split = ad::shuffled_protocol(table.labels, 7);
  const auto train = ad::take_rows(table.values, split.train), test = ad::take_rows(table.values, split.test);

  ad::methods::denoising_error<ad::cpu_engine> model{{.seed = 7}};
  model.fit(train, {.progress = draw_bar, .columns = table.columns});
  const auto& learned = model.record();
  std::printf("learned   %lld normal rows of %lld features: %lld for training, %lld for validation (loss %.3f)\n",
              static_cast<long long>(learned.rows), static_cast<long long>(train.row_size()),
              static_cast<long long>(learned.train_rows), static_cast<long long>(learned.validation_rows),
              learned.validation);

  const auto found = model.score(test, true, draw_bar);
  std::vector<int> labels;
  for (const auto row : split.test) labels.push_back(table.labels[static_cast<std::size_t>(row)]);
  double normals = 0, alarms = 0, hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    normals += labels[i] == 0;
    (labels[i] == 0 ? alarms : hits) += found.is_anomaly[i];
  }
  const double anomalies = static_cast<double>(labels.size()) - normals;
  std::printf(
      "alarms    promised %.1f %% of normal rows (from %lld calibration rows), obtained %.1f %% of %.0f; %.1f %% of "
      "%.0f "
      "anomalies found\n",
      100 * *model.promised_rate(), static_cast<long long>(learned.calibration_rows), 100 * alarms / normals, normals,
      100 * hits / anomalies, anomalies);
  const auto interval = ad::metrics::auroc_interval(found.score, labels);
  std::printf("AUROC     %.4f  (95 %% interval %.4f to %.4f)\n", ad::metrics::auroc(found.score, labels),
              interval.lower, interval.upper);

  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, std::greater<>{}, [&](std::size_t i) { return found.score[i]; });
  for (std::size_t rank = 0; rank < 3; ++rank) {
    const auto i = order[rank];
    const auto row = static_cast<ad::index>(i);
    std::printf("row %s: score %.2f, p = %.3f, %s\n", table.ids[static_cast<std::size_t>(split.test[i])].c_str(),
                found.score[i], found.p_value[i], labels[i] == 1 ? "malignant" : "benign");
    std::vector<ad::index> features(found.map(row).size());
    std::iota(features.begin(), features.end(), ad::index{0});
    std::ranges::sort(features, std::greater<>{}, [&](ad::index j) { return found.evidence(row, j); });
    for (std::size_t k = 0; k < 3; ++k) {
      const auto j = static_cast<std::size_t>(features[k]);
      std::printf("    %-24s %10.4g   (normal %.4g ± %.2g)\n", table.columns[j].c_str(), test(row, features[k]),
                  model.preprocessing().offset()[j], model.preprocessing().scale()[j]);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  try {
    job(count > 1 ? arguments[1] : ANODIFF_EXAMPLE_DATA "/breast_cancer.csv");
    return 0;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "main_job: %s\n", fault.what());
    return 1;
  }
}
