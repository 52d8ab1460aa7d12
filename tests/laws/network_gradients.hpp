// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/nn/tape.hpp>
#include "policy_laws.hpp"

namespace laws {

using double_engine = anodiff::basic_cpu_engine<double>;

/// A small network on a tape in double: rows x (n, in), level features (m, features), loss Σ c ⊙ output with seeded c.
/// `record(tape, x, features)` gives the output.
struct double_network {
  anodiff::nn::parameter_store<double> store;
  anodiff::nn::tape<double_engine> tape;
  anodiff::nn::value x, features, output;
  index n, m;
  std::vector<double> x_data, feature_data, c;
  std::vector<std::int32_t> level;
  std::vector<std::uint32_t> draws;

  template <class Record>
  double_network(Record&& record, anodiff::nn::gradients mode, index rows, index in, index levels, index width,
                 int threads = 1)
      : tape{double_engine{threads}, store, mode, 5}, n{rows}, m{levels} {
    x = tape.input(anodiff::nn::batch::rows, in);
    features = tape.input(anodiff::nn::batch::levels, width);
    tape.want_gradient(x);
    tape.want_gradient(features);
    output = record(tape, x, features);
    tape.keep(output);
    // not the values of birth: biases of zero and gains of one would hide mistakes
    for (const auto& p : store.list())
      for (index i = 0; i < p.count(); ++i)
        store.at(p)[i] = uniform(static_cast<std::uint64_t>(p.offset), static_cast<std::size_t>(i), -0.8, 0.9);
    tape.plan(n, m);
    fill(x_data, n * in, 101);
    fill(feature_data, m * width, 102);
    fill(c, n * tape.width(output), 103);
    for (index i = 0; i < n; ++i) {
      level.push_back(static_cast<std::int32_t>((i * 5 + 1) % m));
      draws.push_back(static_cast<std::uint32_t>(i * 13));
    }
  }
  [[nodiscard]] anodiff::nn::pass pass(bool training = true) const {
    return {.rows = n,
            .levels = m,
            .level = level.data(),
            .training = training,
            .noise = {.seed = 77, .step = 3, .use = anodiff::purpose::dropout},
            .draws = draws.data()};
  }
  double forward(bool training = true) {
    tape.bind(x, x_data.data());
    tape.bind(features, feature_data.data());
    tape.prepare();
    tape.forward_levels(pass(training));
    tape.forward_rows(pass(training));
    double loss = 0;
    for (std::size_t i = 0; i < c.size(); ++i) loss += c[i] * tape.data(output)[i];
    return loss;
  }
  void backward() {
    std::copy(c.begin(), c.end(), tape.gradient(output));
    tape.backward(pass(), output);
  }
  [[nodiscard]] std::vector<double> outputs() {
    return {tape.data(output), tape.data(output) + n * tape.width(output)};
  }

 private:
  static void fill(std::vector<double>& to, index count, std::uint64_t seed) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) to.push_back(uniform(seed, i, -1.5, 1.5));
  }
};

/// Largest |gradient − central difference of loss()| over x, relative above 1.
template <class Loss>
[[nodiscard]] double gradient_error(std::span<double> x, const double* gradient, Loss&& loss, double step = 1e-5) {
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + step;
    const double above = loss();
    x[i] = kept - step;
    const double below = loss();
    x[i] = kept;
    const double slope = (above - below) / (2 * step);
    worst = std::max(worst, std::abs(slope - gradient[i]) / std::max(1.0, std::abs(slope)));
  }
  return worst;
}

/// The gradients of all parameters and of both inputs against central differences, whose own error grows with depth;
/// modes agree; memory that values share with gradients off changes nothing.
template <class Record>
void check_network(Record&& record, index n, index in, index m, index width, double bound = 1e-8) {
  using anodiff::nn::gradients;
  double_network all{record, gradients::all, n, in, m, width};
  (void)all.forward();
  all.backward();
  const auto loss = [&] { return all.forward(); };
  for (const auto& p : all.store.list()) {
    INFO("parameter " << p.name);
    const std::vector<double> gradient(all.tape.parameter_gradients().data() + p.offset,
                                       all.tape.parameter_gradients().data() + p.offset + p.count());
    CHECK(gradient_error({all.store.at(p), static_cast<std::size_t>(p.count())}, gradient.data(), loss) < bound);
    CHECK(std::any_of(gradient.begin(), gradient.end(), [](double g) { return g != 0; }));
  }
  CHECK(gradient_error(all.x_data, all.tape.gradient(all.x), loss) < bound);
  CHECK(gradient_error(all.feature_data, all.tape.gradient(all.features), loss) < bound);

  // gradients of the inputs alone are the same gradients
  double_network inputs{record, gradients::input, n, in, m, width};
  (void)inputs.forward();
  inputs.backward();
  CHECK(inputs.tape.parameter_gradients().empty());
  bool same = true;
  for (std::size_t i = 0; i < all.x_data.size(); ++i)
    same = same && inputs.tape.gradient(inputs.x)[i] == all.tape.gradient(all.x)[i];
  for (std::size_t i = 0; i < all.feature_data.size(); ++i)
    same = same && inputs.tape.gradient(inputs.features)[i] == all.tape.gradient(all.features)[i];
  CHECK(same);

  // without gradients: shared memory and prepared weights, the same bits; dropout is the one thing that is left out
  (void)all.forward(false);
  double_network off{record, gradients::off, n, in, m, width};
  (void)off.forward(false);
  CHECK(off.outputs() == all.outputs());
  CHECK(off.tape.bytes() < all.tape.bytes());

  for (const int threads : {2, 3}) {
    double_network more{record, gradients::all, n, in, m, width, threads};
    (void)more.forward(false);
    CHECK(more.outputs() == all.outputs());
    (void)more.forward();
    more.backward();
    CHECK(std::equal(more.tape.parameter_gradients().begin(), more.tape.parameter_gradients().end(),
                     all.tape.parameter_gradients().begin()));
  }
}

}  // namespace laws
