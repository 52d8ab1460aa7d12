// SPDX-License-Identifier: Apache-2.0
// Methods for pictures over a folder with defects and their masks, beside simple baselines. See README.md beside this
// file.
//   anodiff_tiles run DATA --out RESULTS.csv [--methods A,B] [--seeds 0,1,2,3,4] [--steps N] [--threads N]
//   anodiff_tiles report RESULTS.csv [--ours image_default]
//   anodiff_tiles planted DATA [--methods A,B] [--sides 3,6,12,25,50,100] [--depth D] [--steps N]
//   anodiff_tiles bytes DATA [--steps N] [--seeds 0]
#include <CLI/CLI.hpp>
#include <anodiff/methods/image_default.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "baselines.hpp"
#include "planted.hpp"
#include "report.hpp"

namespace tiles {
namespace {

struct flags {
  std::string data, out, machine, commit = "unknown", ours = "image_default";
  std::vector<std::string> methods;
  std::vector<std::uint64_t> seeds{0, 1, 2, 3, 4};
  std::vector<index> sides{3, 6, 12, 25, 50, 100};
  std::int64_t steps = 0;
  int threads = 0, resamples = 200;
  double depth = 0.25;
};

/// A method of the library.
class detector final : public judge {
 public:
  detector(const std::string& name, std::uint64_t seed, const flags& how)
      : made_{anodiff::any_picture_detector::make(name, numbers(seed, how), how.threads)} {}
  void fit(const anodiff::picture_list& normals) override { made_.fit(normals); }
  [[nodiscard]] anodiff::picture_finding score(const picture& shown) const override { return made_.score(shown); }
  [[nodiscard]] std::int64_t steps() const { return made_.record().steps; }

 private:
  static anodiff::text_fields numbers(std::uint64_t seed, const flags& how) {
    anodiff::text_fields out{{"seed", anodiff::concat(seed)}};
    if (how.steps > 0) out.emplace_back("training.steps", anodiff::concat(how.steps));
    return out;
  }
  anodiff::any_picture_detector made_;
};

std::unique_ptr<judge> make(const std::string& name, std::uint64_t seed, const flags& how) {
  auto made = make_baseline(name, seed);
  return made ? std::move(made) : std::make_unique<detector>(name, seed, how);
}

template <class F>
double seconds_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
std::string now() {
  char text[32];
  const std::time_t time = std::time(nullptr);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", std::gmtime(&time))};
}
std::string processor() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}
std::vector<std::string> methods_of(const flags& how) {
  if (!how.methods.empty()) return how.methods;
  std::vector<std::string> out{"brightness", "narrowness", "blur_difference", "pca_patches", "nearest_patch"};
  for (const auto& entry : anodiff::any_picture_detector::methods()) out.push_back(entry.name);
  return out;
}

void run(const flags& how) {
  const auto layout = anodiff::io::find_layout(how.data);
  const auto done = read_results(how.out);
  const bool fresh = !std::filesystem::exists(how.out);
  std::ofstream out{how.out, std::ios::app};
  if (fresh) out << header << '\n';
  for (const auto& method : methods_of(how))
    for (const auto seed : how.seeds) {
      if (!is_seeded(method) && seed != how.seeds.front()) continue;
      if (std::ranges::any_of(done, [&](const result& r) { return r.method == method && r.seed == seed; })) continue;
      result r{.method = method, .seed = seed};
      r.train = static_cast<std::int64_t>(layout.train.size());
      r.test = static_cast<std::int64_t>(layout.test.size());
      const auto made = make(method, seed, how);
      r.fit_seconds = seconds_of([&] { made->fit(anodiff::io::picture_files{layout.train}); });
      if (const auto* trained = dynamic_cast<const detector*>(made.get())) r.steps = trained->steps();
      const auto found = anodiff::io::evaluate_pictures(
          layout,
          [&](anodiff::tensor_view<const float, 3> shown, std::string_view) { return made->score(picture{shown}); });
      r.picture_seconds = found.seconds;
      measure(found, how.resamples, r);
      r.date = now();
      r.machine = how.machine.empty() ? processor() : how.machine;
      r.commit = how.commit;
      out << line_of(r) << std::endl;
      std::cerr << method << ", seed " << seed << ": image AUROC " << r.value[0] << ", pixel AUROC " << r.value[1]
                << ", AUPRO " << r.value[2] << ", fit " << r.fit_seconds << " s\n";
    }
}

void plant(const flags& how) {
  const auto layout = anodiff::io::find_layout(how.data);
  const planted_table table{layout, how.sides, how.depth};
  planted_table::header(std::cout);
  for (const auto& method : how.methods.empty() ? std::vector<std::string>{"blur_difference", how.ours} : how.methods) {
    const auto made = make(method, how.seeds.front(), how);
    made->fit(anodiff::io::picture_files{layout.train});
    table.rows(std::cout, method, [&](const picture& shown) { return made->score(shown); });
  }
}

/// What 8-bit weights cost image_default: trained in float, scored both ways.
void bytes(const flags& how) {
  using image_default = anodiff::methods::image_default<anodiff::cpu_engine>;
  const auto layout = anodiff::io::find_layout(how.data);
  std::cout << "| seed | steps | weights | image AUROC | pixel AUROC | AUPRO 0.3 | ms a picture |\n"
            << "|---|---|---|---|---|---|---|\n";
  for (const auto seed : how.seeds) {
    image_default::options numbers;
    numbers.seed = seed;
    if (how.steps > 0) numbers.training.steps = how.steps;
    image_default whole{numbers, anodiff::cpu_engine{how.threads}};
    whole.fit(anodiff::io::picture_files{layout.train});
    anodiff::formats::buffer file;
    whole.save(file);
    image_default small{numbers, anodiff::cpu_engine{how.threads, anodiff::weight_storage::bytes}};
    small.open(anodiff::formats::parse_safetensors(std::move(file), "model"));
    double difference = 0;
    std::vector<double> first;
    for (const auto* model : {&whole, &small}) {
      const auto found = anodiff::io::evaluate_pictures(
          layout,
          [&](anodiff::tensor_view<const float, 3> shown, std::string_view name) { return model->score(shown, name); });
      result r;
      r.picture_seconds = found.seconds;
      measure(found, 0, r);
      char text[128];
      std::snprintf(text, sizeof text, "| %llu | %lld | %s | %.3f | %.3f | %.3f | %.0f |",
                    static_cast<unsigned long long>(seed), static_cast<long long>(whole.record().steps),
                    model == &whole ? "float" : "8 bits", 100 * r.value[0], 100 * r.value[1], 100 * r.value[2],
                    1000 * r.picture_seconds);
      std::cout << text << std::endl;
      const auto scores = found.scores();
      for (std::size_t i = 0; i < first.size(); ++i) difference = std::max(difference, std::abs(scores[i] - first[i]));
      if (first.empty()) first = scores;
    }
    std::cerr << "seed " << seed << ": scores differ by " << difference << " at most\n";
  }
}

}  // namespace
}  // namespace tiles

int main(int argc, char** argv) {
  CLI::App program{"Methods for pictures over a folder with defects and their masks"};
  program.require_subcommand(1);
  tiles::flags how;
  const auto add = [&](const char* name, const char* what, auto&& job) -> CLI::App& {
    auto& command = *program.add_subcommand(name, what);
    command.add_option("DATA", how.data, "Folder as `anodiff evaluate` takes it")->required();
    command.add_option("--methods", how.methods)->delimiter(',');
    command.add_option("--seeds", how.seeds)->delimiter(',');
    command.add_option("--steps", how.steps, "Of training, of each network; 0 = the method's own");
    command.add_option("--threads", how.threads);
    command.callback([&how, job] { job(how); });
    return command;
  };
  auto& run = add("run", "Fit and score; appends to the results what they lack", tiles::run);
  run.add_option("--out", how.out, "Results, .csv")->required();
  run.add_option("--resamples", how.resamples, "Of the test parts; at least 39 for intervals");
  run.add_option("--machine", how.machine, "What to call it; else the processor's name");
  run.add_option("--commit", how.commit);
  auto& planted = add("planted", "Spots of growing size in normal test pictures", tiles::plant);
  planted.add_option("--sides", how.sides, "Pixels across")->delimiter(',');
  planted.add_option("--depth", how.depth, "Share of the brightness that they take");
  add("bytes", "image_default with weights in 8 bits beside float", tiles::bytes);
  std::string results;
  auto& report = *program.add_subcommand("report", "Tables of the results, in Markdown");
  report.add_option("RESULTS", results)->required();
  report.add_option("--ours", how.ours, "Method that is compared with the others");
  report.callback([&] { tiles::report(std::cout, tiles::read_results(results), how.ours); });
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
