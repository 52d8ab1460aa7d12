// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/time_features.hpp>
#include <memory>

namespace anodiff::models {

/// A denoiser whose F is a network. Architecture is a policy with
///   value forward(tape, x, features) const   — the network, written once for every engine; where a sample has three
///                                              extents, x is a picture (tape.image). The output may be wider than x;
///   index time_features() const              — how many sinusoids of the level's time it reads; even;
///   void features(times, store, out) const   — only where it reads something else: fills (levels, time_features()).
template <class Architecture, engine Engine>
class neural {
 public:
  using params = typename Architecture::params;
  using engine_type = Engine;
  using real = typename Engine::real;
  static constexpr std::string_view name = Architecture::name;
  static constexpr bool gives_clean = false;
  static constexpr bool tells_noise = part::tells_noise<Architecture>;

  explicit neural(params p = {}, Engine engine = Engine{}) : architecture_{p}, engine_{std::move(engine)} {}

  [[nodiscard]] const params& parameters() const noexcept { return architecture_.parameters(); }
  [[nodiscard]] const Engine& engine() const noexcept { return engine_; }
  [[nodiscard]] const Architecture& architecture() const noexcept { return architecture_; }
  [[nodiscard]] const model_shape& sample_shape() const noexcept { return shape_; }

  /// Gives the network fresh parameters for samples of this shape.
  void build(model_shape shape) {
    shape_ = std::move(shape);
    store_ = std::make_shared<nn::parameter_store<real>>();
    (void)record(nn::gradients::off);
  }
  [[nodiscard]] index parameter_count() const noexcept { return store_ ? store_->count() : 0; }
  /// How many parameters build(shape) would make; allocates none of them.
  [[nodiscard]] index measure(const model_shape& shape) const { return sketch(shape).count(); }
  /// Names and shapes of the parameters that build(shape) would make, without their values.
  [[nodiscard]] nn::parameter_store<real> sketch(const model_shape& shape) const {
    nn::parameter_store<real> sizes{nn::storage::none};
    (void)record(nn::gradients::off, sizes, shape);
    return sizes;
  }
  [[nodiscard]] nn::parameter_store<real>& store() noexcept { return *store_; }
  /// The same parameters for samples of other extents, for architectures whose parameters do not depend on them.
  [[nodiscard]] neural resized(std::vector<index> extents) const {
    neural other = *this;
    other.shape_.sample = std::move(extents);
    return other;
  }
  [[nodiscard]] const nn::parameter_store<real>& store() const noexcept { return *store_; }

  /// The network on a fresh tape, not yet planned.
  struct recorded {
    nn::tape<Engine> tape;
    nn::value x, features, output;
  };
  [[nodiscard]] recorded record(nn::gradients mode) const { return record(mode, *store_, shape_); }
  [[nodiscard]] recorded record(nn::gradients mode, nn::parameter_store<real>& store, const model_shape& shape) const {
    nn::tape<Engine> tape{engine_, store, mode, shape.seed};
    const nn::value x = tape.input(nn::batch::rows, shape.size());
    if (shape.sample.size() == 3) tape.set_image(x, {shape.sample[0], shape.sample[1], shape.sample[2]});
    const nn::value features = tape.input(nn::batch::levels, architecture_.time_features());
    if (mode == nn::gradients::input) tape.want_gradient(x);
    const nn::value output = architecture_.forward(tape, x, features);
    tape.keep(output);
    return {std::move(tape), x, features, output};
  }

  /// out (levels, time_features()) = what the network is told of each level's time.
  void describe(std::span<const double> times, real* out) const {
    if constexpr (requires { architecture_.features(times, *store_, out); } && remote_engine<Engine>) {
      std::vector<real> here(times.size() * static_cast<std::size_t>(architecture_.time_features()));
      architecture_.features(times, *store_, here.data());
      engine_.upload(std::span<const real>{here}, out);
    } else if constexpr (requires { architecture_.features(times, *store_, out); })
      architecture_.features(times, *store_, out);
    else if constexpr (remote_engine<Engine>)
      describe_from(engine_.upload(times).data(), times.size(), out);
    else
      describe_from(times.data(), times.size(), out);
  }
  /// The same with `count` times in the engine's own memory; for architectures that read sinusoids.
  void describe_from(const double* times, std::size_t count, real* out) const {
    engine_.run(ops::time_features<real>{times, out, static_cast<index>(count), architecture_.time_features()});
  }
  /// The same parameters under another architecture that has them, such as one that was told a class.
  [[nodiscard]] neural with(Architecture architecture) const {
    neural out = *this;
    out.architecture_ = std::move(architecture);
    return out;
  }

  class run {
   public:
    run(const neural& model, std::span<const noise_level> levels, index max_rows, const model_shape& shape)
        : store_{model.store_},
          network_{model.record(nn::gradients::off, *model.store_, shape)},
          features_{model.engine_.allocate(static_cast<index>(levels.size()) * model.architecture_.time_features())} {
      auto& tape = network_.tape;
      const auto count = static_cast<index>(levels.size());
      std::vector<double> times;
      for (const auto& level : levels) times.push_back(level.time);
      model.describe(times, features_.data());
      tape.bind(network_.features, features_.data());
      tape.plan(max_rows, count);
      tape.forward_levels({.rows = 0, .levels = count});
    }
    /// x (rows, d), level (rows); the result (rows, output_width()) is valid until the next call.
    [[nodiscard]] const real* output(const real* x, const std::int32_t* level, index rows) {
      network_.tape.bind(network_.x, const_cast<real*>(x));  // inputs are only read
      network_.tape.forward_rows({.rows = rows, .levels = network_.tape.max_levels(), .level = level});
      return network_.tape.data(network_.output);
    }
    /// Elements of one sample's output: those of the sample, unless the architecture says otherwise.
    [[nodiscard]] index output_width() const { return network_.tape.width(network_.output); }
    /// Activations that the architecture has tapped, of the latest call's rows; valid until the next call.
    struct activations {
      const real* data;       ///< (rows, height, width, channels)
      nn::image_shape image;  ///< all zero where they are rows
      index width;            ///< elements of a row
    };
    /// Throws invalid_argument where the architecture has tapped fewer.
    [[nodiscard]] activations features(std::size_t which = 0) {
      auto& tape = network_.tape;
      check(which < tape.taps().size(), "model '", name, "': features ", which, " were asked for, the network gives ",
            tape.taps().size());
      const nn::value v = tape.taps()[which];
      return {tape.data(v), tape.image(v), tape.width(v)};
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return network_.tape.bytes(); }

   private:
    std::shared_ptr<nn::parameter_store<real>> store_;
    recorded network_;
    typename Engine::buffer features_;
  };
  /// A run that also brings slopes back to the row, for networks that are told no noise level. Rows, outputs and slopes
  /// are the host's, whatever the engine's memory.
  class sloped_run {
    static constexpr bool remote = remote_engine<Engine>;

   public:
    sloped_run(const neural& model, index max_rows)
        : store_{model.store_},
          network_{model.record(nn::gradients::input, *model.store_, model.shape_)},
          features_{model.engine_.allocate(model.architecture_.time_features())},
          level_{first_level(model.engine_, max_rows)} {
      auto& tape = network_.tape;
      tape.bind(network_.features, features_.data());
      tape.plan(max_rows, 1);
      tape.forward_levels({.rows = 0, .levels = 1});
      if constexpr (remote) {
        x_ = model.engine_.allocate(max_rows * tape.width(network_.x));
        for (auto* values : {&output_, &output_slope_})
          values->resize(static_cast<std::size_t>(max_rows * output_width()));
        x_slope_.resize(static_cast<std::size_t>(x_.size()));
      }
    }
    [[nodiscard]] index output_width() const { return network_.tape.width(network_.output); }
    /// What the network gives for x (rows, d), (rows, output_width()); x must live until pull_back.
    [[nodiscard]] const real* output(const real* x, index rows) {
      auto& tape = network_.tape;
      if constexpr (remote) {
        tape.machine().upload(std::span{x, count(network_.x, rows)}, x_.data());
        x = x_.data();
      }
      tape.bind(network_.x, const_cast<real*>(x));  // inputs are only read
      tape.forward_rows(pass(rows));
      return here(tape.data(network_.output), count(network_.output, rows), output_);
    }
    /// Where the slope of something by the output belongs, (rows, output_width()).
    [[nodiscard]] real* slope() noexcept {
      return remote ? output_slope_.data() : network_.tape.gradient(network_.output);
    }
    /// Its slope by x, (rows, d).
    [[nodiscard]] const real* pull_back(index rows) {
      auto& tape = network_.tape;
      if constexpr (remote)
        tape.machine().upload(std::span<const real>{output_slope_.data(), count(network_.output, rows)},
                              tape.gradient(network_.output));
      tape.backward(pass(rows), network_.output);
      return here(tape.gradient(network_.x), count(network_.x, rows), x_slope_);
    }

   private:
    [[nodiscard]] nn::pass pass(index rows) const noexcept {
      return {.rows = rows, .levels = 1, .level = level_.data()};
    }
    [[nodiscard]] std::size_t count(nn::value v, index rows) const {
      return static_cast<std::size_t>(rows * network_.tape.width(v));
    }
    [[nodiscard]] const real* here(const real* there, [[maybe_unused]] std::size_t size,
                                   [[maybe_unused]] std::vector<real>& copy) {
      if constexpr (remote) {
        network_.tape.machine().download(there, std::span{copy.data(), size});
        return copy.data();
      } else {
        return there;
      }
    }
    /// Zeros where the engine reads them.
    [[nodiscard]] static auto first_level(const Engine& engine, index rows) {
      std::vector<std::int32_t> zeros(static_cast<std::size_t>(rows));
      if constexpr (remote)
        return engine.upload(zeros);
      else
        return zeros;
    }
    std::shared_ptr<nn::parameter_store<real>> store_;
    recorded network_;
    typename Engine::buffer features_, x_;  // x_ and what follows are for a remote engine alone
    decltype(first_level(std::declval<const Engine&>(), 0)) level_;
    std::vector<real> output_, output_slope_, x_slope_;
  };
  [[nodiscard]] run prepare(std::span<const noise_level> levels, index max_rows) const {
    return {*this, levels, max_rows, shape_};
  }
  /// The same network on samples of other extents, for architectures whose parameters do not depend on them. Throws
  /// invalid_argument, in the words of the parameter that does not fit, for others.
  [[nodiscard]] run prepare(std::span<const noise_level> levels, index max_rows, std::vector<index> extents) const {
    return {*this, levels, max_rows, {std::move(extents), shape_.seed}};
  }

  /// Calls f(name, view (rows, columns)) for each parameter.
  template <class F>
  void tensors(F&& f) const {
    for (const auto& p : store_->list()) f(p.name, tensor_view<const real, 2>{store_->at(p), {p.rows, p.columns}});
  }
  /// Builds the network for the shape and takes each parameter from find(name) -> view or tensor (rows, columns).
  /// Throws data_error where a shape is not the network's.
  template <class Find>
  void restore(model_shape shape, Find&& find) {
    const auto sizes = sketch(shape);  // shapes are compared before anything is allocated
    for (const auto& p : sizes.list()) {
      const auto found = find(std::string_view{p.name});
      check<data_error>(found.extent(0) == p.rows && found.extent(1) == p.columns, "model '", name, "': parameter '",
                        p.name, "' needs shape (", p.rows, ", ", p.columns, "), got (", found.extent(0), ", ",
                        found.extent(1), ")");
      check<data_error>(std::ranges::all_of(found.flat(), [](real v) { return std::isfinite(v); }), "model '", name,
                        "': parameter '", p.name, "' holds a value that is not finite");
    }
    auto store = std::make_shared<nn::parameter_store<real>>(nn::storage::zeros);
    store->reserve(sizes.count());
    (void)record(nn::gradients::off, *store, shape);
    for (const auto& p : store->list()) {
      const auto found = find(std::string_view{p.name});
      std::copy(found.flat().begin(), found.flat().end(), store->at(p));
    }
    store_ = std::move(store);
    shape_ = std::move(shape);
  }

 private:
  Architecture architecture_;
  Engine engine_;
  model_shape shape_;
  std::shared_ptr<nn::parameter_store<real>> store_;
};

}  // namespace anodiff::models
