// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/diffusers.hpp>
#include <filesystem>
#include <fstream>
#include "support/diffusers_fixtures.hpp"

namespace diffusers_test {

// data/tiny_ddpm and data/tiny_half are folders as diffusers leaves them; data/README.md says how they were made.

using namespace anodiff;
namespace files = std::filesystem;

namespace {

const std::string data = ANODIFF_TESTS_DIR "/io/data";

/// A folder of its own for a test, removed at its end.
class scratch_folder {
 public:
  scratch_folder() : path_{files::temp_directory_path() / concat("anodiff_diffusers_", ::getpid(), "_", count_++)} {
    files::create_directories(path_);
  }
  ~scratch_folder() {
    std::error_code ignored;
    files::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }
  void write(const std::string& name, const std::string& text) const {
    files::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name, std::ios::binary} << text;
  }
  void copy(const std::string& from, const std::string& name) const {
    files::create_directories((path_ / name).parent_path());
    files::copy_file(from, path_ / name);
  }

 private:
  static inline int count_ = 0;
  files::path path_;
};

io::diffusers_checkpoint<cpu_engine> load(const std::string& folder, const io::diffusers_options& options = {}) {
  return io::load_diffusers<cpu_engine>(folder, options, cpu_engine{1});
}

std::vector<float> outputs(const models::unet2d<cpu_engine>& model) {
  const std::vector<noise_level> levels{{1, 1, 3}, {1, 1, 871}};
  const std::vector<std::int32_t> level{0, 1};
  const auto x = diffusers_fixtures::input(2, 8, 8, 1);
  auto run = model.prepare(levels, 2);
  const float* out = run.output(x.data(), level.data(), 2);
  return {out, out + x.size()};
}

/// The weights of the tiny checkpoint, to be written again with a change.
struct weights {
  formats::safetensors_file file =
      formats::read_safetensors(data + "/tiny_ddpm/unet/diffusion_pytorch_model.safetensors");
  std::vector<formats::named_tensor> tensors = file.tensors;
  formats::named_tensor& at(const std::string& name) {
    return *std::ranges::find(tensors, name, &formats::named_tensor::name);
  }
};
const std::string tiny_config = data + "/tiny_ddpm/unet/config.json";

}  // namespace

TEST_CASE("diffusers: a pipeline's folder as diffusers leaves it", "[io][golden]") {
  const auto expected = diffusers_fixtures::read("diffusers_tiny.json");
  const auto checkpoint = load(data + "/tiny_ddpm");
  CHECK(checkpoint.notes.empty());
  CHECK(checkpoint.model.sample_shape().sample == std::vector<anodiff::index>{8, 8, 1});
  CHECK(diffusers_fixtures::difference(outputs(checkpoint.model).data(), expected.at("output"), 2, 64) < 1e-5);

  REQUIRE(checkpoint.scheduler.has_value());
  CHECK(checkpoint.scheduler->class_name() == "DDIMScheduler");
  tensor<float, 4> x{shape<4>{2, 8, 8, 1}};
  const auto start = diffusers_fixtures::input(2, 8, 8, 1);
  std::ranges::copy(start, x.data());
  io::denoise(checkpoint, x.view(), 10);
  constexpr double largest = 84;  // of what diffusers gives
  CHECK(diffusers_fixtures::difference(x.data(), expected.at("after_ddim_10"), 2, 64) < 1e-5 * largest);
}

TEST_CASE("diffusers: half precision is read as float32", "[io][golden]") {
  const auto expected = diffusers_fixtures::read("diffusers_tiny.json");
  for (const auto* variant : {"", "fp16"}) {
    const auto checkpoint = load(data + "/tiny_half", {.variant = variant});
    CHECK_FALSE(checkpoint.scheduler.has_value());
    CHECK(diffusers_fixtures::difference(outputs(checkpoint.model).data(), expected.at("output_of_half"), 2, 64) <
          1e-5);
  }
  CHECK_THROWS_WITH(io::generate(load(data + "/tiny_half"), 1, 10),
                    "io::generate: needs a checkpoint with a scheduler, got one without");
}

TEST_CASE("diffusers: pictures do not depend on those beside them", "[io][laws]") {
  auto checkpoint = load(data + "/tiny_ddpm");
  for (const auto* scheduler : {"DDIMScheduler", "DDPMScheduler"}) {
    checkpoint.scheduler.emplace(
        io::diffusers_config::parse(concat("{\"_class_name\": \"", scheduler, "\"}"), "s.json"));
    const auto three = io::generate(checkpoint, 3, 5, 7), one = io::generate(checkpoint, 1, 5, 7);
    CHECK(std::equal(one.flat().begin(), one.flat().end(), three.data()));
    CHECK_FALSE(std::equal(one.flat().begin(), one.flat().end(), three.data() + 64));
    CHECK(std::ranges::all_of(three.flat(), [](float v) { return std::isfinite(v); }));
  }
}

TEST_CASE("diffusers: a network that has learned a variance", "[io][golden]") {
  auto checkpoint = load(data + "/tiny_learned");
  REQUIRE(checkpoint.scheduler.has_value());
  CHECK(checkpoint.scheduler->learned_variance() == variance_form::between);
  const std::vector<noise_level> levels{{1, 1, 3}, {1, 1, 871}};
  const std::vector<std::int32_t> level{0, 1};
  const auto x = diffusers_fixtures::input(2, 8, 8, 1);
  auto run = checkpoint.model.prepare(levels, 2);
  CHECK(diffusers_fixtures::difference(run.output(x.data(), level.data(), 2),
                                       diffusers_fixtures::read("diffusers_tiny.json").at("output_of_learned"), 2,
                                       64) < 1e-5);

  // a run by hand: the mean of each step, and the noise that the second channel scales
  constexpr anodiff::index steps = 4;
  const auto program = checkpoint.scheduler->program(steps);
  const auto made = io::generate(checkpoint, 1, steps, 7);
  std::vector<double> state(64);
  for (std::size_t k = 0; k < 64; ++k) state[k] = random_normal({.seed = 7, .use = purpose::scoring}, k);
  for (std::size_t i = 0; i < program.size(); ++i) {
    const auto& s = program[i];
    const std::vector<float> input(state.begin(), state.end());
    auto one = checkpoint.model.prepare(std::vector{s.at}, 1);
    const float* out = one.output(input.data(), level.data(), 1);
    const mixture fold = checkpoint.scheduler->prediction().fold(s.at);
    for (std::size_t k = 0; k < 64; ++k) {
      const double clean = std::clamp(fold.first * state[k] + fold.second * static_cast<double>(out[2 * k]), -1.0, 1.0);
      state[k] = s.x_weight * state[k] + s.clean_weight * clean;
      if (s.noise_most == 0) continue;
      const double share = (static_cast<double>(out[2 * k + 1]) + 1) / 2;
      state[k] += std::pow(s.noise_weight, 1 - share) * std::pow(s.noise_most, share) *
                  random_normal({.seed = 7, .step = static_cast<std::uint32_t>(i), .use = purpose::step}, k);
    }
  }
  for (std::size_t k = 0; k < 64; ++k) CHECK(made.data()[k] == Approx(state[k]).margin(1e-4));

  // other samplers have no use for the variance; a fixed network has none to give
  for (const auto* config : {R"({"_class_name": "DDIMScheduler"})",
                             R"({"_class_name": "DPMSolverMultistepScheduler", "variance_type": "learned_range"})"}) {
    checkpoint.scheduler.emplace(io::diffusers_config::parse(config, "s.json"));
    CHECK(std::ranges::all_of(io::generate(checkpoint, 1, 5).flat(), [](float v) { return std::isfinite(v); }));
  }
  auto fixed = load(data + "/tiny_ddpm");
  fixed.scheduler.emplace(
      io::diffusers_config::parse(R"({"_class_name": "DDPMScheduler", "variance_type": "learned_range"})", "s.json"));
  CHECK_THROWS_WITH(io::generate(fixed, 1, 5),
                    "io::denoise: the scheduler's variance_type needs a network of 2 output channels, got 1");
}

TEST_CASE("diffusers: another size than the config's", "[io]") {
  const auto checkpoint = load(data + "/tiny_ddpm", {.height = 16, .width = 12});
  CHECK(io::generate(checkpoint, 1, 2).extents() == shape<4>{1, 16, 12, 1});
  CHECK_THROWS_WITH(load(data + "/tiny_ddpm", {.height = 9}),
                    Catch::EndsWith("/unet/config.json: models::unet2d: height and width must be multiples of 2, got 9 "
                                    "by 8"));
}

TEST_CASE("diffusers: parts with an index, and older names of attention", "[io]") {
  const scratch_folder folder;
  folder.copy(tiny_config, "config.json");
  weights w;
  std::string map;
  std::vector<formats::named_tensor> parts[2];
  constexpr std::pair<const char*, const char*> older[] = {
      {".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}};
  for (std::size_t i = 0; i < w.tensors.size(); ++i) {
    auto& tensor = w.tensors[i];
    for (const auto& [now, then] : older)
      if (const auto at = tensor.name.find(now); at != std::string::npos)
        tensor.name.replace(at, std::string_view{now}.size(), then);
    map += concat(i == 0 ? "" : ",", "\"", tensor.name, "\": \"part_", i % 2, ".safetensors\"");
    parts[i % 2].push_back(tensor);
  }
  for (const int i : {0, 1}) formats::write_safetensors(folder.path() + concat("/part_", i, ".safetensors"), parts[i]);
  const auto index_of = [](const std::string& entries) {
    return "{\"metadata\": {}, \"weight_map\": {" + entries + "}}";
  };
  const std::string name = "diffusion_pytorch_model.safetensors.index.json";
  folder.write(name, index_of(map));
  CHECK(outputs(load(folder.path()).model) == outputs(load(data + "/tiny_ddpm").model));

  folder.write(name, index_of(R"("a": "../part_0.safetensors")"));
  CHECK_THROWS_WITH(load(folder.path()),
                    Catch::EndsWith("must name safetensors files beside it, got \"../part_0.safetensors\""));
  folder.write(name, index_of(map + R"(, "more": "part_1.safetensors")"));
  CHECK_THROWS_WITH(load(folder.path()), Catch::Contains("needs a tensor \"more\", which"));
  folder.write(name, index_of(R"("conv_in.bias": "part_0.safetensors")"));
  CHECK_THROWS_WITH(load(folder.path()), Catch::Contains("does not say that"));
}

TEST_CASE("diffusers: weights that do not fit are named", "[io]") {
  const scratch_folder folder;
  folder.copy(tiny_config, "config.json");
  const auto refused = [&](const std::vector<formats::named_tensor>& tensors, const std::string& words) {
    formats::write_safetensors(folder.path() + "/diffusion_pytorch_model.safetensors", tensors);
    CHECK_THROWS_MATCHES(load(folder.path()), data_error,
                         Catch::Message(folder.path() + "/diffusion_pytorch_model.safetensors: " + words));
  };
  {
    weights w;
    w.tensors.erase(w.tensors.begin() + (&w.at("mid_block.resnets.1.conv2.bias") - w.tensors.data()));
    refused(w.tensors, "needs a tensor \"mid_block.resnets.1.conv2.bias\", got none");
  }
  {
    weights w;
    auto more = w.at("conv_in.bias");
    more.name = "conv_inn.bias";
    w.tensors.push_back(more);
    refused(w.tensors, "has 1 tensor that the network of its config has not: \"conv_inn.bias\"");
  }
  {
    weights w;
    w.at("conv_in.weight").shape = {4, 9, 1, 1};
    refused(w.tensors, "tensor \"conv_in.weight\" must have shape (4, 1, 3, 3), got (4, 9, 1, 1)");
  }
  {
    weights w;
    w.at("conv_in.bias").type = formats::dtype::i32;
    refused(w.tensors, "tensor \"conv_in.bias\" must be of float32, float16, bfloat16 or float64, got int32");
  }
  weights w;
  std::vector<float> bad(4, std::numeric_limits<float>::infinity());
  w.at("conv_in.bias").bytes = std::as_bytes(std::span<const float>{bad});
  formats::write_safetensors(folder.path() + "/diffusion_pytorch_model.safetensors", w.tensors);
  CHECK_THROWS_WITH(load(folder.path()), "model 'unet2d': parameter 'conv_in.bias' holds a value that is not finite");
}

TEST_CASE("diffusers: bfloat16 and double are read as float32", "[io]") {
  const scratch_folder folder;
  folder.copy(tiny_config, "config.json");
  weights w;
  const std::vector<std::uint16_t> halves{0x3f80, 0xbf00, 0x4000, 0};
  const std::vector<double> doubles{1, 2, 3, 0.25};
  w.at("conv_in.bias").type = formats::dtype::bf16;
  w.at("conv_in.bias").bytes = std::as_bytes(std::span{halves});
  w.at("conv_norm_out.bias").type = formats::dtype::f64;
  w.at("conv_norm_out.bias").bytes = std::as_bytes(std::span{doubles});
  formats::write_safetensors(folder.path() + "/diffusion_pytorch_model.safetensors", w.tensors);
  const auto checkpoint = load(folder.path());
  const auto& store = checkpoint.model.store();
  const auto values = [&](const char* name) {
    const float* at = store.at(*store.find(name));
    return std::vector<float>(at, at + 4);
  };
  CHECK(values("conv_in.bias") == std::vector<float>{1, -0.5F, 2, 0});
  CHECK(values("conv_norm_out.bias") == std::vector<float>{1, 2, 3, 0.25F});
}

TEST_CASE("diffusers: folders that are refused, and why", "[io]") {
  CHECK_THROWS_AS(load("/nowhere"), io_error);
  const scratch_folder folder;
  folder.copy(tiny_config, "unet/config.json");
  CHECK_THROWS_WITH(load(folder.path()),
                    folder.path() +
                        "/unet: needs diffusion_pytorch_model.safetensors, or an index of its parts, got "
                        "neither");
  folder.write("unet/diffusion_pytorch_model.bin", "\x80\x02");
  CHECK_THROWS_WITH(load(folder.path()),
                    Catch::Contains("got diffusion_pytorch_model.bin, a pickle, which can run code") &&
                        Catch::Contains("save_pretrained"));
  CHECK_THROWS_WITH(load(folder.path(), {.variant = "ema"}), Catch::Contains("needs diffusion_pytorch_model"));
  folder.write("unet/config.json", R"({"_class_name": "UNet2DModel"})");
  CHECK_THROWS_WITH(load(folder.path()), Catch::EndsWith("has no sample_size: give options.height and options.width"));
}

TEST_CASE("diffusers: configs that are refused, and why", "[io]") {
  const auto refused = [](const std::string& members, const std::string& words) {
    INFO(members);
    CHECK_THROWS_MATCHES(io::read_diffusers_unet(io::diffusers_config::parse("{" + members + "}", "c.json")),
                         data_error, Catch::Message("c.json: " + words));
  };
  refused(R"("_class_name": "UNet2DConditionModel")",
          "\"_class_name\" must be one of UNet2DModel, got \"UNet2DConditionModel\"");
  refused(R"("act_fn": "gelu")", "\"act_fn\" must be one of silu, swish, relu, got \"gelu\"");
  refused(R"("down_block_types": ["KDownBlock2D"])",
          "\"down_block_types\" must be one of DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D, SkipDownBlock2D, "
          "AttnSkipDownBlock2D, got \"KDownBlock2D\"");
  refused(R"("block_out_channels": [32, 0])", "\"block_out_channels\" must lie in [1, 16384], got 0");
  refused(R"("block_out_channels": [32, 64])",
          "models::unet2d: channels, down and up need one element for each resolution, got 2, 4 and 4");
  refused(R"("resnet_time_scale_shift": "spatial")",
          "\"resnet_time_scale_shift\" must be one of default, scale_shift, got \"spatial\"");
  refused(R"("class_embed_type": "projection")",
          "\"class_embed_type\" must be one of timestep, identity, got \"projection\"");
  refused(R"("time_embedding_type": "learned")",
          "\"num_train_timesteps\" must be given where time_embedding_type is learned");
  refused(R"("downsample_padding": 2)", "\"downsample_padding\" must lie in [0, 1], got 2");
  refused(R"("sample_size": [1, 2, 3])", "\"sample_size\" needs 1 to 2 elements, got 3");
  refused(R"("sample_size": -4)", "\"sample_size\" must lie in [1, 65536], got -4");
  refused(R"("norm_eps": "small")", "\"norm_eps\": need a number, got a string");
}

TEST_CASE("diffusers: absent keys take the constructor's defaults, and this is said", "[io]") {
  const auto unet = io::read_diffusers_unet(
      io::diffusers_config::parse(R"({"sample_size": [64, 32], "attention_head_dim": null, "new_key": 3})", "c.json"));
  CHECK(unet.height == 64);
  CHECK(unet.width == 32);
  CHECK(unet.params.head_width == 0);
  CHECK(unet.params.channels == std::vector<anodiff::index>{224, 448, 672, 896});
  CHECK(unet.params.layers == 2);
  CHECK(unet.params.norm_groups == 32);
  const auto said = [&](std::string_view text) { return std::ranges::find(unet.notes, text) != unet.notes.end(); };
  CHECK(said("c.json: \"layers_per_block\" is absent: taken as 2"));
  CHECK(said("c.json: \"new_key\" is not known: ignored"));
}

}  // namespace diffusers_test
