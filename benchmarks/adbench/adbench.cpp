// SPDX-License-Identifier: Apache-2.0
// Methods over a folder of labelled tables (ADBench, Han et al. 2022). See README.md beside this file.
//   anodiff_adbench run DATA --out RESULTS.csv [--methods A,B] [--protocol shuffled] [--seeds 0,1,2,3,4] [--jobs 2]
//   anodiff_adbench speed --methods A,B
//   anodiff_adbench report RESULTS.csv
//   anodiff_adbench choose RESULTS.csv --candidates A,B --bar knn
#include <CLI/CLI.hpp>
#include <anodiff/formats/read_table.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/f1.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <anodiff/preprocessing/standardize.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>
#include "baselines.hpp"
#include "report.hpp"
#include "results.hpp"

namespace adbench {
namespace {

/// METHOD or METHOD:key=value;key=value.
struct method_text {
  std::string name;
  anodiff::text_fields numbers;

  explicit method_text(const std::string& text) : name{text.substr(0, text.find(':'))} {
    std::string rest = name.size() < text.size() ? text.substr(name.size() + 1) : "";
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const std::string pair = rest.substr(0, end);
      const auto equals = pair.find('=');
      anodiff::check(equals != std::string::npos, "method '", text, "': need key=value, got '", pair, "'");
      numbers.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
      rest = end == std::string::npos ? "" : rest.substr(end + 1);
    }
  }
};

template <class F>
double seconds_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Scores of a baseline, or none where the name is of the library.
std::vector<double> baseline(const std::string& name, const anodiff::tensor<double, 2>& train,
                             const anodiff::tensor<double, 2>& test, std::uint64_t seed) {
  if (name != "lof" && name != "iforest" && name != "gaussian_full" && name != "norm" && name != "random") return {};
  const auto learned = anodiff::preprocessing::standardize{}.fit(train.view());
  const auto scaled = [&](const anodiff::tensor<double, 2>& x) {
    anodiff::tensor<float, 2> z{x.extents()};
    for (index i = 0; i < x.rows(); ++i) learned.apply(x.row(i), z.row(i));
    return z;
  };
  const auto z = scaled(train), t = scaled(test);
  if (name == "lof") return local_outlier_factor(z, t);
  if (name == "iforest") return isolation_forest(z, t, seed);
  if (name == "gaussian_full") return full_gaussian(z, t);
  if (name == "norm") return row_norm(t);
  return random_score(t.rows(), seed);
}

using published_ddpm = anodiff::methods::ddpm_published<anodiff::cpu_engine>;
/// Trained as published, for 120 epochs: the published code goes on for at most 400, and stops after 50 as soon as an
/// epoch's loss is above that of 39 epochs before, which on most sets is between the 70th and the 220th.
published_ddpm make_published_ddpm(index rows, std::uint64_t seed) {
  published_ddpm::options numbers{.seed = seed, .calibration_share = 0};
  numbers.training.steps = 120 * std::max<index>(1, rows / numbers.training.batch);
  return published_ddpm{numbers, anodiff::cpu_engine{1}};
}

result measure(const std::string& protocol, const std::string& method, const anodiff::formats::table& rows,
               const std::string& set, std::uint64_t seed, index cap) {
  const bool published = protocol == "published";
  const auto split =
      published ? anodiff::published_protocol(rows.labels, seed) : anodiff::shuffled_protocol(rows.labels, seed, cap);
  auto train = anodiff::take_rows(rows.values, split.train), test = anodiff::take_rows(rows.values, split.test);
  anodiff::fill_missing_with_means(train, test);
  std::vector<int> labels;
  for (const index i : split.test) labels.push_back(rows.labels[static_cast<std::size_t>(i)]);

  result out{.protocol = protocol,
             .method = method,
             .set = set,
             .seed = seed,
             .train = train.rows(),
             .test = test.rows(),
             .columns = train.row_size()};
  const method_text asked{method};
  std::vector<double> score, p_value;
  out.score_seconds = seconds_of([&] { score = baseline(asked.name, train, test, seed); });
  if (asked.name == published_ddpm::parts_type::preset_type::name) {
    auto model = make_published_ddpm(train.rows(), seed);
    out.fit_seconds = seconds_of([&] { model.fit(train); });
    out.score_seconds = seconds_of([&] { score = model.score(test).score; });
  } else if (score.empty()) {
    auto numbers = asked.numbers;
    numbers.emplace_back("seed", anodiff::concat(seed));
    if (published) numbers.emplace_back("calibration_share", "0");
    auto model = anodiff::any_detector::make(asked.name, numbers, 1);
    const bool calibrates =
        std::ranges::find(numbers, "calibration_share", [](auto& n) { return n.first; }) == numbers.end();
    out.fit_seconds = seconds_of([&] {
      try {
        model.fit(train);
      } catch (const anodiff::invalid_argument&) {  // too few rows to promise a rate: without a promise, then
        if (!calibrates) throw;
        numbers.emplace_back("calibration_share", "0");
        model = anodiff::any_detector::make(asked.name, numbers, 1);
        model.fit(train);
      }
    });
    anodiff::detection found;
    out.score_seconds = seconds_of([&] { found = model.score(test, false); });
    score = std::move(found.score);
    p_value = std::move(found.p_value);
    out.calibrated = p_value.empty() ? 0 : model.record().calibration_rows;
  }
  const anodiff::metrics::ranking ranked{score, labels, set};
  out.auroc = anodiff::metrics::auroc(ranked);
  out.ap = anodiff::metrics::average_precision(ranked);
  out.f1 = anodiff::metrics::f1_at_n(ranked);
  out.f1_max = anodiff::metrics::f1_max(ranked);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0) continue;
    ++out.normals;
    for (std::size_t r = 0; r < rates.size() && !p_value.empty(); ++r) out.alarms[r] += p_value[i] <= rates[r] ? 1 : 0;
  }
  return out;
}

struct run_flags {
  std::string data, out, protocol = "shuffled";
  std::vector<std::string> methods, sets;
  std::vector<std::uint64_t> seeds{0, 1, 2, 3, 4};
  index cap = 20'000;
  int jobs = 2;
};

void run(const run_flags& flags) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{flags.data})
    if (entry.path().extension() == ".npz" &&
        (flags.sets.empty() || std::ranges::find(flags.sets, entry.path().stem().string()) != flags.sets.end()))
      files.push_back(entry.path());
  std::ranges::sort(files);
  const auto done = read_results(flags.out);
  const bool fresh = !std::filesystem::exists(flags.out);
  std::ofstream out{flags.out, std::ios::app};
  if (fresh) out << header << '\n';

  struct job {
    std::size_t file;
    std::string method;
    std::uint64_t seed;
  };
  std::vector<job> jobs;
  for (std::size_t f = 0; f < files.size(); ++f)
    for (const auto& method : flags.methods)
      for (const auto seed : flags.seeds) {
        const result wanted{
            .protocol = flags.protocol, .method = method, .set = files[f].stem().string(), .seed = seed};
        if (std::ranges::none_of(done, [&](const result& r) { return r.same_run(wanted); }))
          jobs.push_back({f, method, seed});
      }
  std::atomic<std::size_t> next{0};
  std::mutex lock;
  const auto work = [&] {
    std::size_t loaded = files.size();
    anodiff::formats::table rows;
    for (std::size_t j; (j = next++) < jobs.size();) {
      const job& job = jobs[j];
      const std::string set = files[job.file].stem().string();
      try {
        if (loaded != job.file) rows = anodiff::formats::read_table(files[job.file].string(), {.allow_missing = true});
        loaded = job.file;
        const result r = measure(flags.protocol, job.method, rows, set, job.seed, flags.cap);
        const std::lock_guard hold{lock};
        out << line_of(r) << std::endl;
        std::cerr << j + 1 << " of " << jobs.size() << ": " << set << ", " << job.method << ", seed " << job.seed
                  << ": AUROC " << r.auroc << ", fit " << r.fit_seconds << " s\n";
      } catch (const std::exception& e) {
        const std::lock_guard hold{lock};
        std::cerr << set << ", " << job.method << ", seed " << job.seed << ": " << e.what() << '\n';
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 1; i < flags.jobs; ++i) threads.emplace_back(work);
  work();
}

/// Rows scored a second on one core, evidence included, of normal rows of 32 correlated columns.
void speed(const std::vector<std::string>& methods, index columns) {
  const auto rows = [&](index n, std::uint32_t draw) {
    anodiff::tensor<double, 2> x{{n, columns}};
    for (index i = 0; i < n; ++i) {
      const double common =
          anodiff::random_normal({.draw = draw}, static_cast<std::uint64_t>(i * (columns + 1) + columns));
      for (index j = 0; j < columns; ++j)
        x(i, j) = common + anodiff::random_normal({.draw = draw}, static_cast<std::uint64_t>(i * (columns + 1) + j));
    }
    return x;
  };
  const auto train = rows(20'000, 0), test = rows(8'192, 1);
  for (const auto& text : methods) {
    const method_text asked{text};
    auto model = anodiff::any_detector::make(asked.name, asked.numbers, 1);
    const double fit = seconds_of([&] { model.fit(train); });
    std::vector<double> times;
    for (int repeat = 0; repeat < 5; ++repeat) times.push_back(seconds_of([&] { (void)model.score(test); }));
    std::ranges::sort(times);
    std::cout << "{\"method\": \"" << text << "\", \"columns\": " << columns << ", \"fit_s\": " << fit
              << ", \"rows_per_s\": " << static_cast<double>(test.rows()) / times[2] << "}\n";
  }
}

}  // namespace
}  // namespace adbench

int main(int argc, char** argv) {
  CLI::App program{"Methods over a folder of labelled tables"};
  program.require_subcommand(1);
  adbench::run_flags flags;
  auto& run = *program.add_subcommand("run", "Fit and score; appends to the results what they lack");
  run.add_option("DATA", flags.data, "Folder of .npz files with X and y")->required();
  run.add_option("--out", flags.out, "Results, .csv")->required();
  run.add_option("--methods", flags.methods, "NAME or NAME:key=value;key=value")->delimiter(',')->required();
  run.add_option("--protocol", flags.protocol)->check(CLI::IsMember({"shuffled", "published"}));
  run.add_option("--seeds", flags.seeds)->delimiter(',');
  run.add_option("--sets", flags.sets)->delimiter(',');
  run.add_option("--cap", flags.cap);
  run.add_option("--jobs", flags.jobs);
  run.callback([&] { adbench::run(flags); });

  anodiff::index columns = 32;
  auto& speed = *program.add_subcommand("speed", "Rows scored a second on one core, medians of 5");
  speed.add_option("--methods", flags.methods)->delimiter(',')->required();
  speed.add_option("--columns", columns);
  speed.callback([&] { adbench::speed(flags.methods, columns); });

  std::string results, protocol = "shuffled", bar = "knn";
  std::vector<std::string> candidates;
  auto& report = *program.add_subcommand("report", "Tables of the results, in Markdown");
  report.add_option("RESULTS", results)->required();
  report.add_option("--protocol", protocol);
  report.callback([&] { adbench::report(std::cout, adbench::table_of(adbench::read_results(results), protocol)); });
  auto& choose = *program.add_subcommand("choose", "Choose on half of the sets, judge on the other half");
  choose.add_option("RESULTS", results)->required();
  choose.add_option("--candidates", candidates)->delimiter(',')->required();
  choose.add_option("--bar", bar, "Methods to beat start with this name");
  choose.callback([&] {
    adbench::choose(std::cout, adbench::table_of(adbench::read_results(results), "shuffled"), candidates, bar);
  });
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
