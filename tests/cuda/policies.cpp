// SPDX-License-Identifier: Apache-2.0
// A detector's policies beside the GPU's types, for nvcc: what it refuses in a concept does not come back.
// Both for the device and for the host, whose code nvcc writes anew before the compiler sees it.

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/conditioning/none.hpp>
#include <anodiff/distances/l1.hpp>
#include <anodiff/engines/cublas.cuh>
#include <anodiff/grids/linspace.hpp>
#include <anodiff/grids/trailing.hpp>
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/methods/dte_c.hpp>
#include <anodiff/models/mlp.cuh>
#include <anodiff/pipeline/denoising_graphs.cuh>
#include <anodiff/pipeline/resident_trainer.cuh>
#include <anodiff/pooling/mean.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/samplers/heun.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/schedules/scaled_linear.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include "../support/plain_engine.hpp"

namespace anodiff {

template <schedule Schedule, grid Grid, sampler Sampler, prediction Prediction, class Scorer>
requires policy<Scorer>
void compose(const models::mlp<test::plain_engine>& model, float* x, index rows) {
  const auto all = Schedule{}.levels();
  auto levels = Grid{}.pick(all, 10);
  levels.push_back(clean_level);
  const auto program = Sampler{}.program(levels);
  models::mlp_on_gpu net{model, std::span{levels}.first(program.size())};
  net.plan(Prediction{}, program);
  net.run(x, rows, {.seed = 1});
  const models::mlp<cuda_engine> whole;
  denoising_graphs graphs{whole, Prediction{}, 32};
  graphs.run(x, rows, program, {.seed = 1});
}

using reconstruction = scorers::reconstruction<distances::l1>;
template void compose<schedules::cosine, grids::trailing, samplers::ddim, predictions::epsilon, reconstruction>(
    const models::mlp<test::plain_engine>&, float*, index);
template void compose<schedules::scaled_linear, grids::linspace, samplers::ddpm, predictions::velocity, reconstruction>(
    const models::mlp<test::plain_engine>&, float*, index);

template <class Detector>
detection learned_by(const std::string& file, tensor_view<const float, 2> rows) {
  Detector made{{}, cuda_engine_with_cublas()};
  made.fit(rows);
  made.save(file);
  return Detector::load(file, cuda_engine_with_cublas()).score(rows);
}
template detection learned_by<methods::ddpm_reconstruction<cuda_engine>>(const std::string&,
                                                                         tensor_view<const float, 2>);
template detection learned_by<methods::dte_c<cuda_engine>>(const std::string&, tensor_view<const float, 2>);

detection found_by(const std::string& file, tensor_view<const float, 2> rows) {
  return methods::ddpm_reconstruction<cuda_engine>::load(file, cuda_engine{}).score(rows);
}

static_assert(aggregator<aggregation::z_score> && calibrator<calibration::conformal> && pooler<pooling::mean> &&
              conditioner<conditioning::none>);

}  // namespace anodiff
