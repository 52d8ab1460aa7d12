// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/picture_evaluation.hpp>
#include <anodiff/io/report.hpp>
#include <anodiff/io/report_picture.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/curve.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <anodiff/version.hpp>
#include <chrono>

#include "console.hpp"
#include "data.hpp"
#include "evaluation.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

/// The metrics of a table of pictures: a name for a person, one for a program, and the values by seed.
struct picture_metric {
  const char *title, *key;
  std::vector<double> values{};
  metrics::interval of_first{};  ///< over the pictures of the first seed
};

struct picture_outcome {
  std::vector<picture_metric> metrics{{"image AUROC", "image_auroc"}, {"image AP", "image_ap"},
                                      {"pixel AUROC", "pixel_auroc"}, {"pixel AP", "pixel_ap"},
                                      {"AUPRO 0.3", "aupro_30"},      {"AUPRO 0.05", "aupro_05"},
                                      {"IoU-max", "iou_max"},         {"Dice-max", "dice_max"}};
  std::vector<double> fit_seconds, picture_seconds, false_alarms;
  std::optional<double> promised;
  dropped_sums dropped;
  index train = 0, test = 0;
  text_fields numbers;
};

/// The page of one seed: every test picture with its truth, the metrics, and two curves.
void write_page(const evaluate_flags& flags, const any_picture_detector& model, const io::picture_evaluation& found,
                const metrics::ranking& images, const metrics::pixel_ranking& pixels, const picture_outcome& all) {
  io::report page{.title = concat("anodiff: ", flags.method, " on ", flags.data.path), .facts = report_facts(model)};
  page.threshold = model.threshold();
  for (const auto& metric : all.metrics)
    page.metrics.push_back({metric.title, metric.values.front(), metric.of_first,
                            std::string_view{metric.title}.ends_with("max") ? "threshold chosen with the masks" : ""});
  page.curves = {{"ROC of pictures", "false alarms", "found", metrics::roc_curve(images)},
                 {"PRO of pixels", "false alarms", "found of a region", metrics::pro_curve(pixels), 0.3}};
  auto drawing = drawing_of(model);
  for (std::size_t i = 0; i < found.found.size(); ++i) {
    const auto& one = found.found[i];
    const auto values = formats::to_unit(formats::read_picture(found.pictures[i].path));
    const auto counts = model.counted(values.extent(0), values.extent(1));
    drawing.regions.interest = counts;
    auto& shown = page.pictures.emplace_back(
        io::make_report_picture(std::string{io::stem_of(found.pictures[i].path)}, values, {}, one.map, drawing));
    shown.kind = found.pictures[i].kind;
    shown.label = found.pictures[i].label;
    shown.score = one.score;
    shown.p_value = one.p_value;
    shown.is_anomaly = one.is_anomaly;
    dropped_sums own;
    own.add(one);
    shown.remark = own.text(model.minimum_area());
  }
  io::write_report(flags.report, page);
}

void add_seed(const evaluate_flags& flags, const io::picture_layout& layout, std::uint64_t seed, console& out,
              picture_outcome& all) {
  auto numbers = flags.numbers.fields();
  numbers.emplace_back("seed", concat(seed));
  auto model = any_picture_detector::make(flags.method, numbers, flags.common.threads);
  const auto report = [&](const progress& p) {
    out.show(p);
    if (const int signal = interruptible::requested()) throw interrupted{signal};
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  if (flags.focus.given()) model.narrow(read_focus(flags.focus));
  model.fit(io::picture_files{layout.train}, {.progress = report});
  all.fit_seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  auto found = io::evaluate_pictures(
      layout, [&](tensor_view<const float, 3> picture, std::string_view name) { return model.score(picture, name); },
      report);
  if (!flags.focus.interest.empty()) found.interest = read_focus(flags.focus).interest;
  for (const auto& one : found.found) all.dropped.add(one);
  all.picture_seconds.push_back(found.seconds);
  all.promised = model.promised_rate();
  all.numbers = model.numbers();
  double alarms = 0, normals = 0;
  for (std::size_t i = 0; i < found.found.size(); ++i)
    if (found.pictures[i].label == 0) {
      ++normals;
      alarms += found.found[i].is_anomaly ? 1 : 0;
    }
  all.false_alarms.push_back(alarms / normals);

  const metrics::ranking images{found.scores(), found.labels(), "evaluate"};
  const auto pixels = found.pixels();
  const bool first = all.metrics.front().values.empty();
  std::size_t next = 0;
  const auto add = [&](double value, auto&& interval) {
    auto& metric = all.metrics[next++];
    metric.values.push_back(value);
    if (first) metric.of_first = interval();
  };
  const auto of_pixels = [&](auto&& metric) {
    add(metric(pixels), [&] { return metrics::picture_interval(pixels, metric, {.resamples = 100}); });
  };
  add(metrics::auroc(images), [&] { return metrics::auroc_interval(images); });
  add(metrics::average_precision(images), [&] {
    return metrics::bootstrap_interval(images, [](const metrics::ranking& r) { return metrics::average_precision(r); });
  });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::pixel_auroc(p); });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::pixel_average_precision(p); });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::aupro(p, 0.3); });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::aupro(p, 0.05); });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::pixel_overlap(p).iou; });
  of_pixels([](const metrics::pixel_ranking& p) { return metrics::pixel_overlap(p).dice; });
  if (first && !flags.report.empty()) write_page(flags, model, found, images, pixels, all);
  out.note("seed ", seed, ": image AUROC ", per_cent(all.metrics[0].values.back()), " %, pixel AUROC ",
           per_cent(all.metrics[2].values.back()), " %, fit in ", short_seconds(all.fit_seconds.back()));
}

json document(const evaluate_flags& flags, const picture_outcome& all) {
  auto numbers = all.numbers;
  std::erase_if(numbers, [](const auto& field) { return field.first == "seed"; });
  json out{{"method", flags.method}, {"params", object_of(numbers)}, {"version", version}, {"data", flags.data.path},
           {"seeds", flags.seeds},   {"n_train", all.train},         {"n_test", all.test}};
  for (const auto& metric : all.metrics)
    out[metric.key] = {{"mean", mean_of(metric.values)},
                       {"sd", deviation_of(metric.values)},
                       {"values", metric.values},
                       {"interval_95", {metric.of_first.lower, metric.of_first.upper}}};
  out["fit_s"] = {{"mean", mean_of(all.fit_seconds)}};
  out["score_s_per_picture"] = {{"mean", mean_of(all.picture_seconds)}};
  out["alarm_rate"] = {{"promised", json_of(all.promised)}, {"obtained", mean_of(all.false_alarms)}};
  if (flags.focus.given()) all.dropped.add_to(out);
  return out;
}

std::string text(const evaluate_flags& flags, const picture_outcome& all) {
  std::string out = concat(flags.method, " on ", flags.data.path, "\ntrain ", all.train, " pictures, test ", all.test,
                           "; per cent over ", flags.seeds.size(), flags.seeds.size() == 1 ? " seed" : " seeds",
                           "; the interval is that of the first seed, over pictures\n\n");
  out += concat(pad_right("", 12), pad_left("mean", 7), pad_left("sd", 7), pad_left("95 %", 16), "   by seed\n");
  for (const auto& metric : all.metrics) {
    out += concat(pad_right(metric.title, 12), pad_left(per_cent(mean_of(metric.values)), 7),
                  pad_left(per_cent(deviation_of(metric.values)), 7),
                  pad_left(concat(per_cent(metric.of_first.lower), " - ", per_cent(metric.of_first.upper)), 16), "  ");
    for (const double value : metric.values) out += concat(" ", per_cent(value));
    out += "\n";
  }
  if (all.promised)
    out += concat("\nfalse alarms on test normals: ", per_cent(mean_of(all.false_alarms)), " %, promised ",
                  per_cent(*all.promised), " %");
  if (const auto dropped = all.dropped.text(flags.focus.minimum_area); !dropped.empty()) out += "\n" + dropped;
  return out + concat("\nIoU-max and Dice-max are upper bounds: their threshold is chosen with the masks\nfit ",
                      short_seconds(mean_of(all.fit_seconds)), ", score ", short_seconds(mean_of(all.picture_seconds)),
                      " a picture\n");
}

}  // namespace

void evaluate_pictures(const evaluate_flags& flags) {
  console out{flags.common.quiet};
  (void)any_picture_detector::make(flags.method, flags.numbers.fields(), 1);  // a wrong name is found first
  if (!flags.report.empty()) check_can_write(flags.report);
  const auto layout = io::find_layout(flags.data.path);
  const interruptible scope;
  picture_outcome all;
  all.train = static_cast<index>(layout.train.size());
  all.test = static_cast<index>(layout.test.size());
  for (const auto seed : flags.seeds) add_seed(flags, layout, seed, out, all);
  if (flags.common.json)
    print(document(flags, all));
  else
    print(text(flags, all));
}

}  // namespace anodiff::cli
