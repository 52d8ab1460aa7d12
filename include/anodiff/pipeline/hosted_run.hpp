// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/model.hpp>
#include <vector>

namespace anodiff {

/// A denoiser's run for rows in the host's memory. For an engine whose memory that is, it is the model's own.
template <denoiser Model>
class hosted_run : public Model::run {
 public:
  hosted_run(const Model& model, std::span<const noise_level> levels, index max_rows)
      : Model::run{model.prepare(levels, max_rows)} {}
};

/// For others, rows go there and outputs come back with every call.
template <denoiser Model>
requires remote_engine<typename Model::engine_type>
class hosted_run<Model> {
 public:
  using engine_type = typename Model::engine_type;
  hosted_run(const Model& model, std::span<const noise_level> levels, index max_rows)
      : machine_{model.engine()},
        run_{model.prepare(levels, max_rows)},
        row_size_{model.sample_shape().size()},
        x_{machine_.allocate(max_rows * row_size_)},
        level_{machine_.template allocate<std::int32_t>(max_rows)},
        output_(static_cast<std::size_t>(max_rows * run_.output_width())) {}

  /// x (rows, d) and level (rows) of the host; the result is the host's too, and valid until the next call.
  [[nodiscard]] const float* output(const float* x, const std::int32_t* level, index rows) {
    const auto count = [](index n) { return static_cast<std::size_t>(n); };
    machine_.upload(std::span{x, count(rows * row_size_)}, x_.data());
    machine_.upload(std::span{level, count(rows)}, level_.data());
    const std::span out{output_.data(), count(rows * run_.output_width())};
    machine_.download(run_.output(x_.data(), level_.data(), rows), out);
    return out.data();
  }
  [[nodiscard]] index output_width() const { return run_.output_width(); }

 private:
  engine_type machine_;
  typename Model::run run_;
  index row_size_;
  typename engine_type::buffer x_;
  decltype(std::declval<const engine_type&>().template allocate<std::int32_t>(0)) level_;
  std::vector<float> output_;
};

}  // namespace anodiff
