// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/methods/dte_c.hpp>
#include <anodiff/methods/dte_gaussian.hpp>
#include <anodiff/methods/dte_ig.hpp>
#include <anodiff/methods/elbo.hpp>
#include <anodiff/methods/likelihood.hpp>
#include <anodiff/pipeline/resident_trainer.cuh>
#include "../support/cuda_test.hpp"
#include "../support/plain_engine.hpp"
#include "../support/plain_product.hpp"

namespace cuda_test::detector_test {

namespace {

/// A small network, a short training, and few steps.
template <class Detector>
typename Detector::options small() {
  typename Detector::options numbers{.steps = 4, .seed = 3};
  numbers.model.width = 12;
  if constexpr (requires { numbers.model.hidden; }) numbers.model.hidden = 16;
  numbers.training.steps = 20, numbers.training.batch = 16;
  return numbers;
}

/// Scores on the device are those of the detector that has learned on the host, in any block of rows. Errors are
/// relative for scores above `unit`, and for evidence above ten of it.
template <template <class> class Method>
void check_detector(double unit) {
  const index n = 60, tested = 11, d = 4;
  const auto normal = elements<float>(inputs<float>(n * d, 1)),
             other = elements<float>(inputs<float>(tested * d, 2, 2));
  const tensor_view<const float, 2> train{normal.data(), {n, d}}, test{other.data(), {tested, d}};
  Method<anodiff::test::plain_engine> on_host{small<Method<anodiff::test::plain_engine>>()};
  on_host.fit(train);
  Method<cuda_engine> on_device{small<Method<cuda_engine>>(), anodiff::test::network_engine()};
  transfer(on_host, on_device);
  CAPTURE(Method<cuda_engine>::parts_type::scorer_type::name);
  const auto want = on_host.score(test);
  const auto got = in_every_order([&] { return on_device.score(test).score; });
  CHECK(worst(got, want.score, unit) <= 1e-5);
  const auto all = on_device.score(test);
  CHECK(same_bits(all.score, got));
  CHECK(all.is_anomaly == want.is_anomaly);
  CHECK(worst(std::vector<float>(all.evidence.flat().begin(), all.evidence.flat().end()),
              std::vector<float>(want.evidence.flat().begin(), want.evidence.flat().end()), 10 * unit) <= 1e-5);
  const auto alone = on_device.score(test.slice(7, 9));
  CHECK(same_bits(alone.score, rows_of(got, 1, 7, 9)));

  Method<cuda_engine> learned{small<Method<cuda_engine>>(), anodiff::test::network_engine()};
  learned.fit(train);
  CHECK(worst(learned.score(test).score, want.score, unit) <= 1e-3);
  CHECK(learned.record().steps == on_host.record().steps);
  formats::buffer file;
  learned.save(file);
  Method<cuda_engine> opened{{}, anodiff::test::network_engine()};
  opened.open(formats::parse_safetensors(std::move(file), "detector"));
  CHECK(same_bits(opened.score(test).score, learned.score(test).score));
}

template <engine Engine>
using noised_ddim = detector<models::resnet_mlp<Engine>, scorers::reconstruction<distances::l1>>;

}  // namespace

TEST_CASE("a detector learns, scores, is saved and loaded on the device as on the host", "[cuda][detector]") {
  if (!device_ready() || few_threads || slow) return;
  check_detector<methods::ddpm_reconstruction>(0.01);
  check_detector<methods::denoising_error>(1);  // a z-score
  check_detector<methods::elbo>(0.01);
  check_detector<noised_ddim>(0.01);
  check_detector<methods::likelihood>(1);
  check_detector<methods::dte_c>(1);
  check_detector<methods::dte_ig>(0.01);
  check_detector<methods::dte_gaussian>(0.01);
}

}  // namespace cuda_test::detector_test
