// SPDX-License-Identifier: Apache-2.0
// One pass of the network of a diffusers checkpoint on the CPU engine, or one step of its training: medians as JSON
// lines with the largest memory that the process has held, to be run beside the peers by peers/run_unet2d.py and
// peers/train_unet2d.py. Arguments: FOLDER --threads N --batches 1,8 --weights whole|bytes --train N. The first output
// of batch 1 is compared there.
#include <sys/resource.h>
#include <algorithm>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/diffusers.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/trainer.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/schedules/linear.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace ad = anodiff;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

using network = ad::models::unet2d<ad::cpu_engine>;

/// A batch of pictures sin(1 + 0.7 i), channels last.
ad::tensor<float, 2> pictures(const network& model, ad::index batch) {
  ad::tensor<float, 2> x{{batch, model.sample_shape().size()}};
  for (ad::index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(std::sin(1 + 0.7 * static_cast<double>(i)));
  return x;
}

/// The largest memory that this process has held.
double peak_megabytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1e3;
}

/// Steps of training on `batch` pictures: noise at levels of a thousand, mean squared error, AdamW.
void measure_training(network& model, ad::index batch, int threads) {
  const auto x = pictures(model, batch);
  const ad::row_source source{x, batch};
  ad::trainer training{model,
                       ad::predictions::epsilon{},
                       ad::corruptions::gaussian{},
                       ad::objectives::squared_error{},
                       ad::schedules::linear{}.levels(),
                       ad::training_params{.steps = 1 << 30, .batch = batch, .levels = 0, .average = 0},
                       source,
                       7};
  (void)training.step();
  std::vector<double> seconds;
  const auto begin = clock_type::now();
  while (seconds.size() < 3 || seconds_since(begin) < 3) {
    const auto start = clock_type::now();
    (void)training.step();
    seconds.push_back(seconds_since(start));
  }
  std::ranges::sort(seconds);
  std::printf("{\"name\": \"unet2d/train%lld\", \"threads\": %d, \"median_us\": %.0f, \"n\": %zu, \"peak_MB\": %.0f}\n",
              static_cast<long long>(batch), threads, 1e6 * seconds[seconds.size() / 2], seconds.size(),
              peak_megabytes());
}

/// One pass at time 500.
void measure(const network& model, ad::index batch, int threads) {
  const auto x = pictures(model, batch);
  const auto size = static_cast<std::size_t>(x.size());
  const std::vector<ad::noise_level> levels{{1, 1, 500}};
  const std::vector<std::int32_t> level(static_cast<std::size_t>(batch), 0);
  auto run = model.prepare(levels, batch);
  const float* out = run.output(x.data(), level.data(), batch);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::abs(static_cast<double>(out[i]));
  std::vector<double> seconds, of_processor;
  const auto begin = clock_type::now();
  while (seconds.size() < 5 || seconds_since(begin) < 1) {
    const auto start = clock_type::now();
    const std::clock_t used = std::clock();
    (void)run.output(x.data(), level.data(), batch);
    of_processor.push_back(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
    seconds.push_back(seconds_since(start));
  }
  std::ranges::sort(seconds);
  std::ranges::sort(of_processor);
  std::printf(
      "{\"name\": \"unet2d/b%lld\", \"threads\": %d, \"median_us\": %.0f, \"cpu_us\": %.0f, \"n\": %zu, \"mean_abs\": "
      "%.7g, "
      "\"MB\": %.1f, \"peak_MB\": %.0f}\n",
      static_cast<long long>(batch), threads, 1e6 * seconds[seconds.size() / 2],
      1e6 * of_processor[of_processor.size() / 2], seconds.size(), sum / static_cast<double>(size),
      static_cast<double>(run.bytes()) / 1e6, peak_megabytes());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [--threads N] [--batches 1,8] [--weights whole|bytes] [--train N]\n",
                 arguments[0]);
    return 2;
  }
  int threads = 1;
  const char* batches = "1,8";
  ad::index train = 0;
  auto weights = ad::weight_storage::whole;
  for (int i = 2; i + 1 < count; i += 2)
    if (std::strcmp(arguments[i], "--threads") == 0)
      threads = std::atoi(arguments[i + 1]);
    else if (std::strcmp(arguments[i], "--batches") == 0)
      batches = arguments[i + 1];
    else if (std::strcmp(arguments[i], "--train") == 0)
      train = std::atoi(arguments[i + 1]);
    else if (std::strcmp(arguments[i], "--weights") == 0 && std::strcmp(arguments[i + 1], "bytes") == 0)
      weights = ad::weight_storage::bytes;
  try {
    const auto start = clock_type::now();
    auto checkpoint = ad::io::load_diffusers<ad::cpu_engine>(arguments[1], {}, ad::cpu_engine{threads, weights});
    std::printf("{\"name\": \"unet2d/load\", \"threads\": %d, \"median_us\": %.0f}\n", threads,
                1e6 * seconds_since(start));
    if (train > 0) {
      measure_training(checkpoint.model, train, threads);
      return 0;
    }
    for (const char* at = batches; at != nullptr; at = std::strchr(at, ',')) {
      if (*at == ',') ++at;
      measure(checkpoint.model, std::atoi(at), threads);
    }
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
  return 0;
}
