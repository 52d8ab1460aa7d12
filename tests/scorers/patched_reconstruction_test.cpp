// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/patch.hpp>
#include <anodiff/distances/l1.hpp>
#include <anodiff/scorers/patched_reconstruction.hpp>
#include "laws/policy_laws.hpp"
#include "laws/scorer_laws.hpp"

namespace patched_reconstruction_test {

using namespace anodiff;

namespace {

using patches = corruptions::patch<corruptions::gaussian>;

/// What the scorer asks of a context; its network answers call k with the number k everywhere.
struct counting_context {
  struct model_type {
    using engine_type = cpu_engine;
  };
  using machine_type = cpu_engine;
  struct estimator_type {
    std::vector<std::vector<float>>* seen;
    std::vector<float> answer{};
    const float* output(const float* x, const std::int32_t*, laws::index) {
      seen->emplace_back(x, x + 24);
      answer.assign(24, static_cast<float>(seen->size()));
      return answer.data();
    }
    [[nodiscard]] static mixture fold(const noise_level&) { return {0, 1}; }
  };
  std::vector<std::vector<float>>* seen;
  std::vector<laws::index> sample_{4, 6, 1};
  anodiff::start from_ = anodiff::start::noised(0.5);
  patches corruption_{[] {
    patches::params p;
    p.size = 4;
    return p;
  }()};

  [[nodiscard]] const std::vector<laws::index>& sample() const { return sample_; }
  [[nodiscard]] static machine_type machine() { return machine_type{1}; }
  [[nodiscard]] static std::uint64_t seed() { return 3; }
  [[nodiscard]] static laws::index row_size() { return 24; }
  [[nodiscard]] static clipping clip() { return {}; }
  [[nodiscard]] const anodiff::start& from() const { return from_; }
  [[nodiscard]] const patches& corruption() const { return corruption_; }
  [[nodiscard]] static std::vector<noise_level> run_levels() { return {{0.8, 0.6, 0}, clean_level}; }
  [[nodiscard]] estimator_type estimator(std::span<const noise_level>, laws::index) const { return {seen}; }
};

}  // namespace

TEST_CASE("patched_reconstruction: each patch noised alone, and the estimates put together", "[scorers]") {
  laws::check_policy<scorers::patched_reconstruction<distances::l1>>();
  std::vector<std::vector<float>> seen;
  const counting_context context{&seen};
  const scorers::patched_reconstruction<distances::l1> scorer{};
  CHECK(scorer.network_calls(context) == 2);
  auto run = scorer.prepare(context, 1);
  tensor<float, 2> x{{1, 24}};
  for (laws::index e = 0; e < 24; ++e) x.data()[e] = 0.1F * static_cast<float>(e);
  tensor<float, 3> out{{1, 1, 24}};
  run.evidence(x.view(), out.view());
  REQUIRE(seen.size() == 2);
  for (std::size_t e = 0; e < 24; ++e) {
    const std::size_t column = e % 6;  // the first patch has columns 0 to 3, the second 2 to 5 and the last word there
    const double clean = static_cast<double>(x.data()[e]);
    const double noised = 0.8 * clean + 0.6 * random_normal({.seed = 3, .draw = 0, .use = purpose::scoring}, e);
    CHECK(static_cast<double>(seen[0][e]) == Approx(column < 4 ? noised : clean).margin(1e-5));
    CHECK(static_cast<double>(seen[1][e]) == Approx(column >= 2 ? noised : clean).margin(1e-5));
    CHECK(static_cast<double>(out.data()[e]) == Approx(std::abs(clean - (column < 2 ? 1 : 2))).margin(1e-6));
  }
}

TEST_CASE("patched_reconstruction: what cannot be", "[scorers]") {
  using scorer = scorers::patched_reconstruction<distances::l1>;
  CHECK_THROWS_WITH(scorer({.repeats = 0}), "scorers::patched_reconstruction: repeats must lie in [1, 4096], got 0");
  std::vector<std::vector<float>> seen;
  counting_context context{&seen};
  context.from_ = start::clean(0.5);
  CHECK_THROWS_WITH(scorer{}.prepare(context, 1),
                    "scorers::patched_reconstruction: needs a noised start, got start.kind 'clean'");
  context.from_ = start::noised(0.5);
  context.sample_ = {24};
  CHECK_THROWS_WITH(
      scorer{}.prepare(context, 1),
      "scorers::patched_reconstruction: needs pictures (height, width, channels), got samples of 1 dimensions");
}

}  // namespace patched_reconstruction_test
