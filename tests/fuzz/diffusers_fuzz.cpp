// SPDX-License-Identifier: Apache-2.0
#include "require.hpp"

#include <anodiff/io/diffusers_scheduler.hpp>
#include <anodiff/io/diffusers_unet.hpp>
#include <cmath>

/// The bytes are a config, of a network and of a scheduler.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  try {
    const auto unet = io::read_diffusers_unet(io::diffusers_config::parse(text, "config"));
    models::check_unet2d(unet.params);
    require(unet.in_channels >= 1, "a network that was read takes some channels");
  } catch (const error&) {
  }
  try {
    const io::diffusers_scheduler scheduler{io::diffusers_config::parse(text, "config")};
    const auto program = scheduler.program(3);
    require(program.size() == 3 || program.size() == 2, "a run has a stage for each step, the last perhaps not");
    for (const auto& s : program)
      require(std::isfinite(s.x_weight) && std::isfinite(s.clean_weight) && std::isfinite(s.noise_weight),
              "the weights of a run that was read are finite");
  } catch (const error&) {
  }
  return 0;
}
