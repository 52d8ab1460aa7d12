// SPDX-License-Identifier: Apache-2.0
// DDPM with a variance that the network gives: golden runs of diffusers, the library's loop, and what is refused.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/predictions/learned.hpp>
#include <anodiff/predictions/learned_range.hpp>
#include <anodiff/predictions/velocity.hpp>
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace learned_variance_test {

using namespace anodiff;
using samplers::ddpm;
using samplers::ddpm_variance;

namespace {

using point = std::array<double, 8>;
using doubles = basic_cpu_engine<double>;

/// The network of data/make_golden_learned.py: F, then v.
double first_half(double x, const noise_level& level) { return x / 2 + std::sin(3 * x) / 10 + level.time / 10000; }
double second_half(double x, const noise_level& level, bool itself) {
  const double v = std::sin(2 * x + level.time / 100);
  return itself ? (1 + v) / 200 : v;
}
double deviation(double v, bool itself, double least, double most) {
  return itself ? std::sqrt(v) : std::pow(least, (1 - v) / 2) * std::pow(most, (1 + v) / 2);
}

std::vector<stage> program_of(laws::index steps) {
  auto levels = grids::leading{}.pick(schedules::linear{}.levels(), steps);
  levels.push_back(clean_level);
  return ddpm{{.variance = ddpm_variance::learned}}.program(levels);
}

template <class Noise, class Enter>
point plain_run(const std::vector<stage>& program, const point& start, mixture (*fold)(const noise_level&), bool itself,
                Noise&& noise, Enter&& enter) {
  return laws::run_program(
      std::span<const stage>{program}, start,
      [&](const point& x, const noise_level& level) {
        point clean{};
        for (std::size_t k = 0; k < 8; ++k)
          clean[k] = fold(level).first * x[k] + fold(level).second * first_half(x[k], level);
        return clean;
      },
      noise, enter,
      [&](const point& x, const noise_level& level, double least, double most) {
        point out{};
        for (std::size_t k = 0; k < 8; ++k) out[k] = deviation(second_half(x[k], level, itself), itself, least, most);
        return out;
      });
}

template <class P>
mixture fold_by(const noise_level& level) {
  return P{}.fold(level);
}

/// The same network as a model of eight values a row.
struct two_halves {
  struct params {
    static constexpr void fields(auto&, auto&&) {}
  };
  using engine_type = doubles;
  static constexpr std::string_view name = "two_halves";
  static constexpr bool gives_clean = false;
  bool itself = false;
  explicit two_halves(params = {}) {}
  explicit two_halves(bool direct) : itself{direct} {}
  [[nodiscard]] params parameters() const { return {}; }
  [[nodiscard]] engine_type engine() const { return engine_type{1}; }
  template <class F>
  void tensors(F&&) const {}
  template <class Find>
  void restore(const model_shape&, Find&&) {}
  struct run {
    std::vector<noise_level> levels;
    bool itself;
    std::vector<double> out;
    const double* output(const double* x, const std::int32_t* level, laws::index rows) {
      out.resize(static_cast<std::size_t>(16 * rows));
      for (laws::index i = 0; i < rows; ++i)
        for (laws::index j = 0; j < 8; ++j) {
          const auto& at = levels[static_cast<std::size_t>(level[i])];
          out[static_cast<std::size_t>(16 * i + j)] = first_half(x[8 * i + j], at);
          out[static_cast<std::size_t>(16 * i + 8 + j)] = second_half(x[8 * i + j], at, itself);
        }
      return out.data();
    }
  };
  [[nodiscard]] run prepare(std::span<const noise_level> levels, laws::index) const {
    return {{levels.begin(), levels.end()}, itself, {}};
  }
};
static_assert(denoiser<two_halves>);

template <class Prediction>
double loop_difference(bool itself) {
  const auto program = program_of(20);
  constexpr laws::index rows = 3;
  tensor<double, 2> x{{rows, 8}};
  std::array<point, rows> starts{};
  for (laws::index i = 0; i < rows; ++i)
    for (laws::index j = 0; j < 8; ++j)
      x(i, j) = starts[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] =
          laws::uniform(3, static_cast<std::size_t>(8 * i + j), -1, 1);
  const two_halves model{itself};
  denoising_loop<two_halves, Prediction> runs{model, Prediction{}, program, rows, 8, {}};
  runs.run(x.data(), rows, {.seed = 4, .draw = 2}, [](std::size_t) {});
  double most = 0;
  for (laws::index i = 0; i < rows; ++i) {
    std::uint32_t now = 0;
    const auto want = plain_run(
        program, starts[static_cast<std::size_t>(i)], fold_by<Prediction>, itself,
        [&] {
          point z{};
          for (std::size_t k = 0; k < 8; ++k) z[k] = random_normal({.seed = 4, .draw = 2, .step = now}, k);
          return z;
        },
        [&](std::size_t s, point&) { now = static_cast<std::uint32_t>(s); });
    for (std::size_t k = 0; k < 8; ++k) most = std::max(most, std::abs(x(i, static_cast<laws::index>(k)) - want[k]));
  }
  return most;
}

}  // namespace

TEST_CASE("golden runs of diffusers 0.42.1 with a learned variance", "[samplers][golden]") {
  const auto bytes = formats::read_file(ANODIFF_TESTS_DIR "/samplers/data/golden_learned_0_42_1.json");
  const auto all = formats::parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "golden runs");
  int passed = 0;
  for (const auto& [key, values] : all.members()) {
    INFO(key);
    const bool itself = key.find("/learned/") != std::string::npos;
    const auto fold = key.find("epsilon") != std::string::npos  ? fold_by<predictions::epsilon>
                      : key.find("sample") != std::string::npos ? fold_by<predictions::clean>
                                                                : fold_by<predictions::velocity>;
    const auto program = program_of(key.ends_with("/10") ? 10 : 50);
    point start{};
    for (std::size_t k = 0; k < 8; ++k) start[k] = -1 + 2 * static_cast<double>(k) / 7;
    int drawn = 0;
    const auto got = plain_run(
        program, start, fold, itself,
        [&] {
          point z{};
          for (std::size_t k = 0; k < 8; ++k) z[k] = std::sin(1 + static_cast<double>(k) + 3 * drawn);
          ++drawn;
          return z;
        },
        [](std::size_t, point&) {});
    double most = 0, largest = 0;
    std::size_t k = 0;
    for (const auto& v : values.elements()) {
      most = std::max(most, std::abs(got[k++] - v.number()));
      largest = std::max(largest, std::abs(v.number()));
    }
    CHECK(k == 8);
    CHECK(most / largest < 1e-4);  // diffusers computes in float32, and the runs end near 0
    ++passed;
  }
  CHECK(passed == 12);
}

TEST_CASE("ddpm: a learned variance lies between the fixed ones, and none is drawn at the end", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 10);
  levels.push_back(clean_level);
  const auto learned = ddpm{{.variance = ddpm_variance::learned}}.program(levels);
  const auto small = ddpm{}.program(levels), large = ddpm{{.variance = ddpm_variance::fixed_large}}.program(levels);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(learned[i].noise_weight == small[i].noise_weight);
    CHECK(learned[i].noise_most == (i == 9 ? 0 : large[i].noise_weight));
    CHECK(small[i].noise_most == 0);
  }
  laws::check_sampler(ddpm{{.variance = ddpm_variance::learned}}, levels);
}

TEST_CASE("the loop draws with the variance that the network gives", "[samplers][loop]") {
  CHECK(loop_difference<predictions::learned_range<>>(false) < 1e-5);
  CHECK(loop_difference<predictions::learned_range<predictions::velocity>>(false) < 1e-5);
  CHECK(loop_difference<predictions::learned<>>(true) < 1e-5);
}

TEST_CASE("a learned variance is refused where there is none, and a network of another width", "[samplers][loop]") {
  using plain = denoising_loop<two_halves, predictions::epsilon>;
  CHECK_THROWS_WITH((plain{two_halves{}, predictions::epsilon{}, program_of(5), 1, 8, {}}),
                    "denoising_loop: the sampler draws with a learned variance, which the prediction 'epsilon' does "
                    "not have; use predictions::learned_range");
  using network = models::mlp<doubles>;
  network narrow{{.width = 8, .layers = 1, .time_features = 4}, doubles{1}};
  narrow.build({{8}, 1});
  using loop = denoising_loop<network, predictions::learned_range<>>;
  CHECK_THROWS_WITH((loop{narrow, predictions::learned_range<>{}, program_of(5), 1, 8, {}}),
                    "network_run: the prediction 'learned_range' needs a network with 16 outputs, got 8");
}

}  // namespace learned_variance_test
