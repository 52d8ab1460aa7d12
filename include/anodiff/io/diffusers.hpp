// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/io/diffusers_scheduler.hpp>
#include <anodiff/io/diffusers_unet.hpp>
#include <anodiff/io/diffusers_weights.hpp>
#include <anodiff/models/unet2d.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>
#include <anodiff/predictions/learned.hpp>
#include <anodiff/predictions/learned_range.hpp>
#include <optional>

namespace anodiff::io {

/// What to make of a checkpoint folder.
struct diffusers_options {
  index height = 0,
        width = 0;        ///< of the pictures; 0: what the config says. Multiples of model.architecture().granule()
  std::string variant{};  ///< of the weights, "fp16" say; empty: the plain ones, else those in half precision
};

/// A checkpoint of diffusers, ready to run. Pictures are (n, height, width, channels), with values as the model was
/// trained on, mostly in [−1, 1].
template <engine Engine>
struct diffusers_checkpoint {
  models::unet2d<Engine> model;                  ///< sample_shape().sample: {height, width, channels}
  std::optional<diffusers_scheduler> scheduler;  ///< where the folder has one
  std::vector<std::string> notes;                ///< defaults taken, and keys ignored
};

/// Reads a folder with config.json and weights, or one of a pipeline: unet/ with these, scheduler/ with
/// scheduler_config.json. The weights are taken as float32. Throws io_error where a file cannot be read, and
/// data_error, naming file and key or tensor, where one is damaged, unknown, missing, too many, or of another shape;
/// nothing is executed.
template <engine Engine>
[[nodiscard]] diffusers_checkpoint<Engine> load_diffusers(const std::string& folder,
                                                          const diffusers_options& options = {},
                                                          Engine machine = Engine{}) {
  const bool pipeline = !formats::file_exists(folder + "/config.json");
  const std::string of_model = pipeline ? folder + "/unet" : folder;
  const std::string of_scheduler = pipeline ? folder + "/scheduler" : folder;
  auto unet = read_diffusers_unet(diffusers_config::read(of_model + "/config.json"));
  const index height = options.height > 0 ? options.height : unet.height;
  const index width = options.width > 0 ? options.width : unet.width;
  check(height > 0 && width > 0, "io::load_diffusers: ", of_model,
        "/config.json has no sample_size: give options.height and options.width");
  diffusers_checkpoint<Engine> out{models::unet2d<Engine>{unet.params, std::move(machine)}, {}, std::move(unet.notes)};
  auto weights = diffusers_weights::read(of_model, options.variant);
  const model_shape shape{{height, width, unet.in_channels}, 0};
  const auto expected = [&] {
    try {
      return out.model.sketch(shape);
    } catch (const invalid_argument& fault) {
      throw data_error(concat(of_model, "/config.json: ", fault.what()));
    }
  }();
  out.model.restore(shape, [&](std::string_view name) {
    return diffusers_matrix<typename Engine::real>(weights.find(name), weights.name(), *expected.find(name));
  });
  weights.check_all_used();
  if (const std::string path = of_scheduler + "/scheduler_config.json"; formats::file_exists(path)) {
    out.scheduler.emplace(diffusers_config::read(path));
    const auto more = out.scheduler->notes();
    out.notes.insert(out.notes.end(), more.begin(), more.end());
  }
  return out;
}

namespace detail {

template <class Prediction, engine Engine>
void denoise_as(const diffusers_checkpoint<Engine>& from, const Prediction& prediction, tensor_view<float, 4> x,
                index steps, std::uint64_t seed) {
  const index size = from.model.sample_shape().size();
  auto program = from.scheduler->program(steps);
  const bool draws = std::ranges::any_of(program, [](const stage& s) { return s.noise_weight != 0; });
  constexpr index pictures_at_once = 8;
  const index batch = draws ? 1 : std::min(pictures_at_once, std::max<index>(x.extent(0), 1));
  denoising_loop<models::unet2d<Engine>, Prediction> loop{from.model, prediction, std::move(program),
                                                          batch,      size,       from.scheduler->clip()};
  for (index first = 0; first < x.extent(0); first += batch)
    loop.run(x.data() + first * size, std::min(batch, x.extent(0) - first),
             {.seed = seed, .draw = static_cast<std::uint32_t>(first), .use = purpose::step}, [](std::size_t) {});
}

}  // namespace detail

/// Takes pictures x (n, height, width, channels) from the noisiest of `steps` levels to the clean end, in place, as the
/// checkpoint's scheduler says. Picture i draws its noise as number i of the seed, whatever stands beside it. Where the
/// network gives twice the channels that it takes, the second half is the variance that it has learned: a DDPM
/// scheduler with variance_type learned or learned_range draws with it, on the CPU engine; the others leave it unused.
/// Throws invalid_argument where there is no scheduler, where the network gives another number of channels, or too few
/// for what the scheduler draws with, and for pictures of another shape.
template <engine Engine>
void denoise(const diffusers_checkpoint<Engine>& from, tensor_view<float, 4> x, index steps, std::uint64_t seed = 0) {
  static_assert(std::same_as<typename Engine::real, float>, "io::denoise: needs an engine of float");
  check(from.scheduler.has_value(), "io::denoise: needs a checkpoint with a scheduler, got one without");
  const auto& sample = from.model.sample_shape().sample;
  check(std::ranges::equal(std::span{x.extents()}.subspan(1), sample), "io::denoise: needs pictures of ",
        formats::shape_text(sample), ", got ", formats::shape_text(x.extents()));
  const index channels = sample[2], given = from.model.parameters().out_channels;
  const index outputs = given == 0 ? channels : given;
  check(outputs == channels || outputs == 2 * channels, "io::denoise: the network must give the ", channels,
        " channels that it takes, or as many again for a learned variance, got ", outputs);
  const auto& prediction = from.scheduler->prediction();
  const auto form = from.scheduler->learned_variance();
  check(!form || outputs == 2 * channels, "io::denoise: the scheduler's variance_type needs a network of ",
        2 * channels, " output channels, got ", outputs);
  if (outputs == channels) return detail::denoise_as(from, prediction, x, steps, seed);
  if constexpr (remote_engine<Engine>)
    check(false, "io::denoise: a network that learns a variance needs the CPU engine");
  else if (form == variance_form::itself)
    detail::denoise_as(from, predictions::learned<diffusers_prediction>{prediction.parameters()}, x, steps, seed);
  else
    detail::denoise_as(from, predictions::learned_range<diffusers_prediction>{prediction.parameters()}, x, steps, seed);
}

/// Pictures made of noise: (count, height, width, channels). Throws as denoise does.
template <engine Engine>
[[nodiscard]] tensor<float, 4> generate(const diffusers_checkpoint<Engine>& from, index count, index steps,
                                        std::uint64_t seed = 0) {
  check(from.scheduler.has_value(), "io::generate: needs a checkpoint with a scheduler, got one without");
  check(count >= 0, "io::generate: needs a number of pictures, got ", count);
  const auto& sample = from.model.sample_shape().sample;
  tensor<float, 4> x{shape<4>{count, sample[0], sample[1], sample[2]}};
  const index size = from.model.sample_shape().size();
  const auto scale = static_cast<float>(from.scheduler->start_scale(steps));
  for (index i = 0; i < count; ++i) {
    float* const one = x.data() + i * size;
    from.model.engine().run(ops::fill_normal<float>{
        one, 1, size, {{.seed = seed, .draw = static_cast<std::uint32_t>(i), .use = purpose::scoring}}});
    std::transform(one, one + size, one, [=](float v) { return scale * v; });
  }
  denoise(from, x.view(), steps, seed);
  return x;
}

}  // namespace anodiff::io
