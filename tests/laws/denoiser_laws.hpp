// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <cstring>
#include "network_gradients.hpp"

namespace laws {

/// Extents of a sample: a row's width, or a picture's (height, width, channels).
struct extents {
  std::vector<index> each;
  extents(index d) : each{d} {}  // NOLINT: a width is the extents of a row
  extents(index h, index w, index c) : each{h, w, c} {}
  [[nodiscard]] index size() const noexcept { return anodiff::model_shape{each, 0}.size(); }
};

/// A network of Architecture for such samples, on an engine.
template <class Architecture, class Engine>
[[nodiscard]] anodiff::models::neural<Architecture, Engine> built(const typename Architecture::params& p,
                                                                  const extents& sample, std::uint64_t seed,
                                                                  int threads = 1) {
  anodiff::models::neural<Architecture, Engine> model{p, Engine{threads}};
  model.build({sample.each, seed});
  return model;
}

/// Seeded rows and the levels that they are at.
template <class T>
struct query {
  index n, d;
  std::vector<anodiff::noise_level> levels;
  std::vector<T> x;
  std::vector<std::int32_t> level;

  query(index rows, index row_size, index level_count) : n{rows}, d{row_size} {
    for (index l = 0; l < level_count; ++l) levels.push_back({0.8, 0.6, static_cast<double>(l * 137 % 1000)});
    for (std::size_t i = 0; i < static_cast<std::size_t>(n * d); ++i)
      x.push_back(static_cast<T>(static_cast<float>(uniform(8, i, -2, 2))));
    for (index i = 0; i < n; ++i) level.push_back(static_cast<std::int32_t>(i * 7 % level_count));
  }
  template <class Model>
  [[nodiscard]] std::vector<T> ask(const Model& model, index max_rows = 0) const {
    auto run = model.prepare(levels, max_rows == 0 ? n : max_rows);
    const T* out = run.output(x.data(), level.data(), n);
    return {out, out + n * d};
  }
};

/// Gradients of the whole network, parameters and input, against central differences in double.
template <class Architecture>
void check_model_gradients(const typename Architecture::params& p) {
  using anodiff::nn::gradients;
  for (const index d : {1, 3}) {
    INFO(d << " columns");
    check_network([&](auto& t, anodiff::nn::value x,
                      anodiff::nn::value features) { return Architecture{p}.forward(t, x, features); },
                  6, d, 3, Architecture{p}.time_features());
  }
}

/// The laws of a denoiser: a row's output is the same alone, in any batch and on any number of threads; float is near
/// double; what is stored makes the same network.
template <class Architecture>
void check_denoiser(const typename Architecture::params& p, const extents& sample) {
  using anodiff::cpu_engine;
  const index d = sample.size();
  const auto model = built<Architecture, cpu_engine>(p, sample, 7);
  const query<float> many{100, d, 5};
  const auto whole = many.ask(model);

  // batches of other sizes, rows alone
  auto run = model.prepare(many.levels, many.n);
  bool same = true;
  for (index first = 0, count = 1; first < many.n; first += count, ++count) {
    count = std::min(count, many.n - first);
    const float* out = run.output(many.x.data() + first * d, many.level.data() + first, count);
    same = same && std::memcmp(out, whole.data() + first * d, static_cast<std::size_t>(count * d) * sizeof(float)) == 0;
  }
  CHECK(same);
  auto narrow = model.prepare(many.levels, 1);
  for (index i = 0; i < many.n; i += 13) {
    const float* out = narrow.output(many.x.data() + i * d, many.level.data() + i, 1);
    CHECK(std::memcmp(out, whole.data() + i * d, static_cast<std::size_t>(d) * sizeof(float)) == 0);
  }
  // each level planned alone
  for (std::size_t l = 0; l < many.levels.size(); ++l) {
    auto one = model.prepare({&many.levels[l], 1}, 1);
    const auto i = static_cast<std::size_t>(std::find(many.level.begin(), many.level.end(), l) - many.level.begin());
    const std::int32_t zero = 0;
    const float* out = one.output(many.x.data() + static_cast<index>(i) * d, &zero, 1);
    CHECK(std::memcmp(out, whole.data() + static_cast<index>(i) * d, static_cast<std::size_t>(d) * sizeof(float)) == 0);
  }
  for (const int threads : {2, 3}) CHECK(many.ask(built<Architecture, cpu_engine>(p, sample, 7, threads)) == whole);

  // training's tape computes the same values as the run's shared memory
  auto recorded = model.record(anodiff::nn::gradients::all);
  recorded.tape.plan(many.n, static_cast<index>(many.levels.size()));
  std::vector<double> time;
  for (const auto& l : many.levels) time.push_back(l.time);
  std::vector<float> features(time.size() * static_cast<std::size_t>(model.architecture().time_features()));
  model.describe(time, features.data());
  auto x = many.x;
  recorded.tape.bind(recorded.features, features.data());
  recorded.tape.bind(recorded.x, x.data());
  const anodiff::nn::pass pass{.rows = many.n, .levels = static_cast<index>(time.size()), .level = many.level.data()};
  recorded.tape.forward_levels(pass);
  recorded.tape.forward_rows(pass);
  CHECK(std::equal(whole.begin(), whole.end(), recorded.tape.data(recorded.output)));

  // float against double, the same parameters
  auto exact = built<Architecture, double_engine>(p, sample, 7);
  for (const auto& q : model.store().list())
    std::copy(model.store().at(q), model.store().at(q) + q.count(), exact.store().at(*exact.store().find(q.name)));
  const auto reference = query<double>{100, d, 5}.ask(exact);
  double worst = 0, largest = 1;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(whole[i]) - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  CHECK(worst < 1e-5 * largest);
}

/// Seeds, files and sizes.
template <class Architecture>
void check_storage(const typename Architecture::params& p, const extents& sample = 3) {
  using anodiff::cpu_engine;
  using model_type = anodiff::models::neural<Architecture, cpu_engine>;
  const index d = sample.size();
  const auto model = built<Architecture, cpu_engine>(p, sample, 7);
  CHECK(model.measure({sample.each, 0}) == model.parameter_count());
  const query<float> few{4, d, 2};
  const auto out = few.ask(model);
  CHECK(few.ask(built<Architecture, cpu_engine>(p, sample, 7)) == out);
  CHECK(few.ask(built<Architecture, cpu_engine>(p, sample, 8)) != out);

  std::vector<std::pair<std::string, anodiff::tensor<float, 2>>> stored;
  model.tensors([&](std::string_view name, anodiff::tensor_view<const float, 2> values) {
    stored.emplace_back(std::string{name}, anodiff::tensor<float, 2>{values});
  });
  const auto find = [&](std::string_view name) -> anodiff::tensor<float, 2> {
    for (const auto& [key, values] : stored)
      if (key == name) return values;
    throw anodiff::data_error(anodiff::concat("no tensor '", name, "'"));
  };
  model_type read{p, cpu_engine{1}};
  read.restore({sample.each, 99}, find);
  CHECK(few.ask(read) == out);

  stored.front().second = anodiff::tensor<float, 2>{{2, 2}};
  CHECK_THROWS_WITH(read.restore({sample.each, 0}, find),
                    Catch::StartsWith(anodiff::concat("model '", Architecture::name, "': parameter '",
                                                      stored.front().first, "' needs shape (")) &&
                        Catch::EndsWith("got (2, 2)"));
  CHECK_THROWS_AS(read.restore({sample.each, 0}, find), anodiff::data_error);
  stored.erase(stored.begin());
  CHECK_THROWS_AS(read.restore({sample.each, 0}, find), anodiff::data_error);
}

}  // namespace laws
