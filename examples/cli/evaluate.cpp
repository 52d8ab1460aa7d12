// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/f1.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <chrono>
#include <cmath>
#include <memory>

#include "command.hpp"
#include "console.hpp"
#include "data.hpp"
#include "evaluation.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

template <class F>
double seconds_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Share of the normals that raise an alarm.
double alarm_share(const detection& found, std::span<const int> labels) {
  double alarms = 0, normals = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == 0) {
      ++normals;
      alarms += found.is_anomaly[i];
    }
  return alarms / normals;
}

outcome run_seed(const evaluate_flags& flags, const formats::table& rows, std::uint64_t seed, console& out) {
  const auto split =
      flags.published() ? published_protocol(rows.labels, seed) : shuffled_protocol(rows.labels, seed, flags.cap);
  auto train = take_rows(rows.values, split.train), test = take_rows(rows.values, split.test);
  fill_missing_with_means(train, test);
  std::vector<int> labels;
  for (const index i : split.test) labels.push_back(rows.labels[static_cast<std::size_t>(i)]);

  auto numbers = flags.numbers.fields();
  numbers.emplace_back("seed", concat(seed));
  if (flags.published()) numbers.emplace_back("calibration_share", "0");
  auto model = any_detector::make(flags.method, numbers, flags.common.threads);
  const auto report = [&](const progress& p) {
    out.show(p);
    if (const int signal = interruptible::requested()) throw interrupted{signal};
    return true;
  };
  outcome result;
  detection found;
  result.fit_seconds = seconds_of([&] { model.fit(train, {.progress = report}); });
  result.score_seconds = seconds_of([&] { found = model.score(test, false, report); });
  const metrics::ranking ranked{found.score, labels, "evaluate"};
  result.train_rows = static_cast<double>(train.rows());
  result.test_rows = static_cast<double>(test.rows());
  result.auroc = metrics::auroc(ranked);
  result.ap = metrics::average_precision(ranked);
  result.f1 = metrics::f1_at_n(ranked);
  result.f1_max = metrics::f1_max(ranked);
  result.promised = model.promised_rate();
  if (result.promised) result.obtained = alarm_share(found, labels);
  result.network_calls = model.network_calls();
  result.numbers = model.numbers();
  out.note("seed ", seed, ": AUROC ", per_cent(result.auroc), " %, fit in ", short_seconds(result.fit_seconds));
  return result;
}

void run(const evaluate_flags& flags, bool cap_given) {
  console out{flags.common.quiet};
  refuse_file(flags.method, flags.data.path);
  check(flags.report.empty(), "--report is for folders of pictures; ", flags.data.path, " is none");
  refuse_focus(flags.focus, flags.data);
  check(flags.published() || flags.protocol == "shuffled", "--protocol: need shuffled or published, got '",
        flags.protocol, "'");
  check(flags.cap >= 0, "--cap: need at least 0 rows, got ", flags.cap);
  check(!cap_given || !flags.published(),
        "--cap belongs to the shuffled protocol; the published one has its own sizes");
  (void)any_detector::make(flags.method, flags.numbers.fields(), 1);  // a wrong name is found before the data are read
  const auto rows = read_rows(flags.data, true);
  check(rows.has_labels, rows.name, ": needs labels to evaluate with; name their column with --label");
  const auto missing = std::ranges::count_if(rows.values.flat(), [](double v) { return std::isnan(v); });
  if (missing > 0)
    out.note(rows.name, ": ", missing, " missing values are replaced by the mean of their column's training rows");
  const interruptible scope;
  std::vector<outcome> all;
  for (const auto seed : flags.seeds) all.push_back(run_seed(flags, rows, seed, out));
  const auto facts = evaluation_document(flags, rows, all);
  if (flags.common.json)
    print(facts);
  else
    print(evaluation_text(flags, rows, facts));
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto& command = *program.add_subcommand("evaluate", "Fit and score a labelled set over several seeds");
  const auto flags = std::make_shared<evaluate_flags>();
  command.add_option("METHOD", flags->method, "One of those that `anodiff methods` lists")->required();
  add_data(command, flags->data,
           "Labelled set: .npz with X and y, or .csv with --label; or a folder of train/good, test/KIND and "
           "ground_truth/KIND, or of good, KIND and ground_truth/KIND");
  command.add_option("--protocol", flags->protocol, "shuffled (honest) or published (for comparison only)")
      ->type_name("NAME");
  command.add_option("--seeds", flags->seeds, "Of the split and of the method")->delimiter(',')->type_name("N,N,...");
  auto* cap = command.add_option("--cap", flags->cap, "Thin a larger set to so many rows; 0 = do not");
  cap->type_name("N");
  command.add_option("--alpha", flags->numbers.alpha, "Promised rate of false alarms, in (0, 1)")->type_name("A");
  command.add_option("--time-budget", flags->numbers.time_budget, "Seconds of training for each seed")->type_name("S");
  command.add_option("--set", flags->numbers.pairs, "A number of the method; `anodiff methods METHOD` lists them")
      ->type_name("NAME=VALUE");
  command.add_option("--report", flags->report, "A page to look at: the first seed's pictures, for a folder")
      ->type_name("FILE.html");
  add_focus(command, flags->focus);
  add_common(command, flags->common);
  command.callback(
      [flags, cap] { names_folder(flags->data.path) ? evaluate_pictures(*flags) : run(*flags, cap->count() > 0); });
}

}  // namespace anodiff::cli
