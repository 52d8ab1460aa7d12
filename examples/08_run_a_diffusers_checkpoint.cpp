// SPDX-License-Identifier: Apache-2.0
// A checkpoint of diffusers, as UNet2DModel.save_pretrained or DDPMPipeline.save_pretrained leaves it, run in C++: no
// export, no Python. Give the folder as an argument; without one, a tiny checkpoint of the tests is run.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/diffusers.hpp>
#include <cmath>
#include <cstdio>
#include <exception>

namespace ad = anodiff;

namespace {

constexpr ad::index steps = 10;

void describe(const ad::io::diffusers_checkpoint<ad::cpu_engine>& checkpoint) {
  long long parameters = 0;
  for (const auto& p : checkpoint.model.store().list()) parameters += p.count();
  const auto& sample = checkpoint.model.sample_shape().sample;
  std::printf("network    %lld parameters in %zu tensors, for pictures of %lld by %lld with %lld channels\n",
              parameters, checkpoint.model.store().list().size(), static_cast<long long>(sample[0]),
              static_cast<long long>(sample[1]), static_cast<long long>(sample[2]));
  for (const auto& note : checkpoint.notes) std::printf("note       %s\n", note.c_str());
}

bool lesson(const std::string& folder) {
  auto checkpoint = ad::io::load_diffusers<ad::cpu_engine>(folder);
  describe(checkpoint);
  if (!checkpoint.scheduler)  // a folder of a model alone; any scheduler of its kind can be told by text
    checkpoint.scheduler.emplace(
        ad::io::diffusers_config::parse(R"({"_class_name": "DDIMScheduler"})", "the scheduler"));

  const auto& scheduler = *checkpoint.scheduler;
  const auto levels = scheduler.levels(steps);
  std::printf("scheduler  %.*s, from time %.0f to %.0f of %zu in %zu steps\n",
              static_cast<int>(scheduler.class_name().size()), scheduler.class_name().data(), levels.front().time,
              levels.back().time, scheduler.schedule().size(), levels.size());

  const auto pictures = ad::io::generate(checkpoint, 3, steps, 7);  // (3, height, width, channels)
  const auto alone = ad::io::generate(checkpoint, 1, steps, 7);
  double sum = 0, squares = 0;
  for (const float v : pictures.flat()) {
    sum += static_cast<double>(v);
    squares += static_cast<double>(v) * static_cast<double>(v);
  }
  const auto count = static_cast<double>(pictures.size());
  std::printf("pictures   3 of noise with seed 7: mean %.3f, standard deviation %.3f\n", sum / count,
              std::sqrt(squares / count - sum * sum / count / count));
  const bool same = std::equal(alone.flat().begin(), alone.flat().end(), pictures.data());
  std::printf("the first, alone and beside the others: %s\n", same ? "equal to the last bit" : "NOT equal");
  return same && std::isfinite(sum);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return lesson(count > 1 ? arguments[1] : ANODIFF_EXAMPLE_DATA "/../../tests/io/data/tiny_ddpm") ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
