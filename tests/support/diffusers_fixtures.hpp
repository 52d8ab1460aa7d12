// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/io/diffusers_weights.hpp>
#include <cmath>

namespace diffusers_fixtures {

using anodiff::index;
namespace formats = anodiff::formats;

[[nodiscard]] inline formats::json read(const std::string& name) {
  const std::string path = std::string{ANODIFF_TESTS_DIR "/io/data/"} + name;
  const auto content = formats::read_file(path);
  return formats::parse_json(formats::text_of(content.span()), path);
}
[[nodiscard]] inline formats::json networks() { return read("diffusers_networks.json"); }

/// Element i of the tensor of that name, in [−1, 1): the formula of make_diffusers_fixtures.py.
[[nodiscard]] inline double uniform(std::string_view name, std::uint64_t i) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  auto x = static_cast<std::uint32_t>(i * 2654435761U + hash);
  x ^= x >> 16;
  x *= 2146121005U;
  x ^= x >> 15;
  x *= 2221713035U;
  x ^= x >> 16;
  return static_cast<double>(x) / 0x1p31 - 1;
}

/// Element i, as stored by diffusers, of a tensor of that name with `in` inputs to each output.
[[nodiscard]] inline float closed_form(std::string_view name, anodiff::io::diffusers_layout layout, index in, index i) {
  using anodiff::io::diffusers_layout;
  const double u = uniform(name, static_cast<std::uint64_t>(i));
  if (layout == diffusers_layout::table) return static_cast<float>(u);
  if (layout != diffusers_layout::vector) return static_cast<float>(u * std::sqrt(3 / static_cast<double>(in)));
  if (name == "time_proj.weight") return static_cast<float>(2 * u);
  return static_cast<float>((name.ends_with(".weight") ? 1 : 0) + 0.25 * u);
}

/// Gives all parameters their closed-form values.
template <class T>
void fill(anodiff::nn::parameter_store<T>& store) {
  for (const auto& p : store.list()) {
    const auto layout = anodiff::io::diffusers_layout_of(p);
    std::vector<float> stored(static_cast<std::size_t>(p.count()));
    for (index i = 0; i < p.count(); ++i) stored[static_cast<std::size_t>(i)] = closed_form(p.name, layout, p.rows, i);
    formats::named_tensor as_stored{p.name, formats::dtype::f32, anodiff::io::diffusers_shape(p),
                                    std::as_bytes(std::span<const float>{stored})};
    const auto matrix = anodiff::io::diffusers_matrix<T>(as_stored, "closed form", p);
    std::copy_n(matrix.data(), p.count(), store.at(p));
  }
}

/// x of a fixture: sin(1 + 0.7 i) in the order (n, channels, height, width), here with channels last.
[[nodiscard]] inline std::vector<float> input(index n, index height, index width, index channels) {
  std::vector<float> x(static_cast<std::size_t>(n * height * width * channels));
  for (index b = 0; b < n; ++b)
    for (index c = 0; c < channels; ++c)
      for (index p = 0; p < height * width; ++p)
        x[static_cast<std::size_t>((b * height * width + p) * channels + c)] =
            static_cast<float>(std::sin(1 + 0.7 * static_cast<double>((b * channels + c) * height * width + p)));
  return x;
}

/// How far (n, height, width, channels) lies from numbers in the order (n, channels, height, width).
[[nodiscard]] inline double difference(const float* got, const formats::json& wanted, index n, index pixels) {
  const auto& all = wanted.elements();
  const auto channels = static_cast<index>(all.size()) / (n * pixels);
  double most = 0;
  for (index b = 0; b < n; ++b)
    for (index c = 0; c < channels; ++c)
      for (index p = 0; p < pixels; ++p)
        most = std::max(most, std::abs(static_cast<double>(got[(b * pixels + p) * channels + c]) -
                                       all[static_cast<std::size_t>((b * channels + c) * pixels + p)].number()));
  return most;
}

/// The largest difference of a network's output from that of diffusers.
template <class Model>
[[nodiscard]] double largest_difference(const Model& model, const formats::json& fixture, index channels) {
  std::vector<anodiff::noise_level> levels;
  std::vector<std::int32_t> level;
  for (const auto& time : fixture.at("times").elements()) {
    level.push_back(static_cast<std::int32_t>(levels.size()));
    levels.push_back({1, 1, time.number()});
  }
  const auto n = static_cast<index>(levels.size());
  auto told = model;
  if (const auto& labels = fixture.at("labels"); !labels.is_null()) {
    std::vector<double> classes;
    for (const auto& label : labels.elements())
      if (label.is_array())
        for (const auto& v : label.elements()) classes.push_back(v.number());
      else
        classes.push_back(label.number());
    told = model.with(model.architecture().with_class(std::move(classes)));
  }
  const index height = fixture.at("height").integer(), width = fixture.at("width").integer();
  const auto x = input(n, height, width, channels);
  auto run = told.prepare(levels, n);
  return difference(run.output(x.data(), level.data(), n), fixture.at("output"), n, height * width);
}

}  // namespace diffusers_fixtures
