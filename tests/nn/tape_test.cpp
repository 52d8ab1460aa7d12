// SPDX-License-Identifier: Apache-2.0
#include <anodiff/nn/dropout.hpp>
#include <anodiff/nn/layer_norm.hpp>
#include <anodiff/nn/time_embedding.hpp>
#include "laws/network_gradients.hpp"

using namespace anodiff;
using nn::gradients;
using nn::value;

namespace {

/// A network with everything that layers can do: time embedding, tables, residuals, a value that two nodes read.
const auto everything = [](auto& t, value x, value features) {
  const value time = nn::time_embedding(t, "time", features, 5);
  value h = nn::linear(t, "in", x, 6);
  for (laws::index i = 0; i < 2; ++i) {
    const value table = nn::linear(t, concat("project.", i), time, 7);
    const value normed = nn::layer_norm(t, concat("norm.", i), h);
    value inner = nn::linear(t, concat("first.", i), normed, 7, {.activation = ops::activation::silu, .table = table});
    inner = nn::dropout(t, inner, 0.3);
    h = nn::linear(t, concat("second.", i), inner, 6, {.residual = h});
  }
  return nn::linear(t, "out", h, 3, {.activation = ops::activation::gelu});
};

}  // namespace

TEST_CASE("gradients of a dense layer, each activation", "[nn][gradients]") {
  for (const auto kind :
       {ops::activation::identity, ops::activation::relu, ops::activation::silu, ops::activation::gelu}) {
    INFO("activation " << static_cast<int>(kind));
    laws::check_network(
        [kind](auto& t, value x, value features) {
          const value table = nn::linear(t, "table", features, 9);
          const value h = nn::linear(t, "first", x, 9, {.activation = kind, .table = table});
          return nn::linear(t, "second", h, 9, {.activation = kind, .residual = h});
        },
        6, 4, 3, 2);
  }
}

TEST_CASE("gradients of a whole network", "[nn][gradients]") { laws::check_network(everything, 7, 4, 3, 4); }

TEST_CASE("gradients with one row, one level and one column", "[nn][gradients]") {
  laws::check_network(everything, 1, 1, 1, 2);
}

TEST_CASE("gradients of a value that many nodes read are summed", "[nn][gradients]") {
  laws::check_network(
      [](auto& t, value x, value features) {
        const value table = nn::linear(t, "table", features, 4);
        // x is input, residual and, through h, both at once; the table is read by three layers
        value h = nn::linear(t, "a", x, 4, {.activation = ops::activation::silu, .table = table, .residual = x});
        h = nn::linear(t, "b", h, 4, {.table = table, .residual = h});
        h = nn::linear(t, "c", h, 4, {.activation = ops::activation::gelu, .table = table, .residual = x});
        return h;
      },
      5, 4, 2, 3);
}

TEST_CASE("a branch that does not lead to the output has no gradient", "[nn][gradients]") {
  laws::double_network net{[](auto& t, value x, value) {
                             (void)nn::linear(t, "aside", x, 8);
                             return nn::linear(t, "out", x, 2);
                           },
                           gradients::all,
                           3,
                           4,
                           1,
                           2};
  (void)net.forward();
  net.backward();
  const auto* aside = net.store.find("aside.weight");
  const double* gradient = net.tape.parameter_gradient(*aside);
  CHECK(std::all_of(gradient, gradient + aside->count(), [](double g) { return g == 0; }));
}

TEST_CASE("backward adds to the gradients of the parameters", "[nn]") {
  laws::double_network net{everything, gradients::all, 4, 3, 2, 4};
  (void)net.forward();
  net.backward();
  const std::vector<double> once(net.tape.parameter_gradients().begin(), net.tape.parameter_gradients().end());
  const std::vector<double> of_x(net.tape.gradient(net.x), net.tape.gradient(net.x) + net.x_data.size());
  net.backward();
  double worst = 0;
  for (std::size_t i = 0; i < once.size(); ++i)
    worst = std::max(worst, std::abs(net.tape.parameter_gradients()[i] - 2 * once[i]));
  CHECK(worst < 1e-13);
  // those of the inputs are written anew
  CHECK(std::equal(of_x.begin(), of_x.end(), net.tape.gradient(net.x)));
}

TEST_CASE("dropout: training draws by the sample, scoring not at all", "[nn][dropout]") {
  const auto drop = [](auto& t, value x, value) { return nn::dropout(t, x, 0.5); };
  laws::double_network net{drop, gradients::all, 200, 16, 1, 2};
  (void)net.forward(false);
  CHECK(net.outputs() == net.x_data);
  (void)net.forward(true);
  const auto whole = net.outputs();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK((whole[i] == 0 || whole[i] == 2 * net.x_data[i]));
    kept += whole[i] != 0;
  }
  CHECK(std::abs(static_cast<double>(kept) / 3200 - 0.5) < 4 * 0.5 / std::sqrt(3200));
  // the same rows in another order drop the same elements
  std::reverse(net.draws.begin(), net.draws.end());
  for (std::size_t i = 0; i < 100; ++i)
    std::swap_ranges(&net.x_data[i * 16], &net.x_data[i * 16] + 16, &net.x_data[(199 - i) * 16]);
  (void)net.forward(true);
  auto reversed = net.outputs();
  for (std::size_t i = 0; i < 100; ++i)
    std::swap_ranges(&reversed[i * 16], &reversed[i * 16] + 16, &reversed[(199 - i) * 16]);
  CHECK(reversed == whole);
}

TEST_CASE("dropout: layers of one network draw apart", "[nn][dropout]") {
  laws::double_network net{[](auto& t, value x, value) { return nn::dropout(t, nn::dropout(t, x, 0.5), 0.5); },
                           gradients::all,
                           100,
                           32,
                           1,
                           2};
  (void)net.forward(true);
  const auto out = net.outputs();
  const auto kept = std::count_if(out.begin(), out.end(), [](double v) { return v != 0; });
  // a quarter, where equal draws would keep a half
  CHECK(std::abs(static_cast<double>(kept) / 3200 - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 3200));
}

TEST_CASE("a pass may be smaller than the plan", "[nn]") {
  for (const auto mode : {gradients::off, gradients::all}) {
    laws::double_network net{everything, mode, 9, 4, 3, 4};
    (void)net.forward(false);
    const auto whole = net.outputs();
    auto p = net.pass(false);
    p.rows = 2;
    net.tape.bind(net.x, net.x_data.data() + 4 * 4);
    p.level = net.level.data() + 4;
    net.tape.forward_rows(p);
    CHECK(std::equal(whole.begin() + 4 * 3, whole.begin() + 6 * 3, net.tape.data(net.output)));
  }
}

TEST_CASE("a tape can be planned again for more rows and levels, or for fewer", "[nn]") {
  for (const auto mode : {gradients::off, gradients::all}) {
    laws::double_network large{everything, mode, 600, 4, 40, 4}, again{everything, mode, 600, 4, 40, 4};
    (void)large.forward();
    again.tape.plan(3, 2);
    CHECK_THROWS_WITH(again.tape.forward_levels(again.pass()), "tape: planned for 3 rows and 2 levels, got 600 and 40");
    CHECK_THROWS_AS(again.tape.forward_rows(again.pass()), invalid_argument);
    laws::double_network grown{everything, mode, 3, 4, 2, 4};
    grown.tape.plan(600, 40);
    for (auto* other : {&again, &grown}) {
      other->tape.plan(600, 40);
      other->n = large.n;
      other->m = large.m;
      other->x_data = large.x_data;
      other->feature_data = large.feature_data;
      other->level = large.level;
      other->draws = large.draws;
      other->c = large.c;
      (void)other->forward();
      CHECK(other->outputs() == large.outputs());
    }
    if (mode == gradients::off) continue;
    large.backward();
    grown.backward();
    CHECK(std::equal(grown.tape.parameter_gradients().begin(), grown.tape.parameter_gradients().end(),
                     large.tape.parameter_gradients().begin()));
  }
}

TEST_CASE("a dense layer over levels reads a table row by row", "[nn][gradients]") {
  // the rows' levels are another permutation than 0, 1, 2, …: reading by them would give other numbers
  const auto record = [](auto& t, value x, value features) {
    const value table = nn::linear(t, "table", features, 5);
    const value time =
        nn::linear(t, "time", features, 5, {.activation = ops::activation::silu, .table = table, .residual = table});
    return nn::linear(t, "out", x, 5, {.table = time});
  };
  laws::check_network(record, 7, 4, 3, 2);
  laws::double_network net{record, gradients::all, 7, 4, 3, 2};
  (void)net.forward();
  const double *features = net.feature_data.data(), *table = net.store.at(*net.store.find("table.weight")),
               *table_bias = net.store.at(*net.store.find("table.bias")),
               *time = net.store.at(*net.store.find("time.weight")),
               *time_bias = net.store.at(*net.store.find("time.bias"));
  const double* out = net.store.at(*net.store.find("out.weight"));
  const double* out_bias = net.store.at(*net.store.find("out.bias"));
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      const auto l = static_cast<std::size_t>(net.level[i]);
      const auto dense = [&](const double* w, const double* b) {
        return features[2 * l] * w[j] + features[2 * l + 1] * w[5 + j] + b[j];
      };
      const double row = dense(table, table_bias), z = dense(time, time_bias) + row;
      double expected = out_bias[j] + z / (1 + std::exp(-z)) + row;
      for (std::size_t k = 0; k < 4; ++k) expected += net.x_data[4 * i + k] * out[5 * k + j];
      CHECK(net.outputs()[5 * i + j] == Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("a dense layer refuses a table or residual that does not fit", "[nn]") {
  nn::parameter_store<double> store;
  nn::tape<laws::double_engine> t{laws::double_engine{1}, store, gradients::off};
  const value x = t.input(nn::batch::rows, 3), features = t.input(nn::batch::levels, 4);
  CHECK_THROWS_WITH(nn::linear(t, "a", features, 4, {.table = x}),
                    "nn::linear: the table of 'a' needs 4 columns and a row for each noise level, got 3 and a row for "
                    "each sample");
  CHECK_THROWS_WITH(nn::linear(t, "a", x, 3, {.table = features}),
                    "nn::linear: the table of 'a' needs 3 columns and a row for each noise level, got 4 and a row for "
                    "each noise level");
  CHECK_THROWS_WITH(nn::linear(t, "a", x, 4, {.residual = features}),
                    "nn::linear: the residual of 'a' needs 4 columns and a row for each sample, got 4 and a row for "
                    "each noise level");
  CHECK_NOTHROW(nn::linear(t, "a", features, 4, {.table = features, .residual = features}));
}

TEST_CASE("prepare takes over new values", "[nn]") {
  for (const auto mode : {gradients::off, gradients::all}) {
    laws::double_network net{everything, mode, 3, 4, 2, 4};
    const double before = net.forward(false);
    for (double& v : net.store.values()) v = -v;
    CHECK(net.forward(false) != before);
    for (double& v : net.store.values()) v = -v;
    CHECK(net.forward(false) == before);
  }
}

TEST_CASE("with gradients off, memory does not grow with depth", "[nn]") {
  const auto deep = [](laws::index layers) {
    return [layers](auto& t, value x, value) {
      for (laws::index i = 0; i < layers; ++i) x = nn::linear(t, concat("l", i), x, 64);
      return x;
    };
  };
  laws::double_network two{deep(2), gradients::off, 100, 64, 1, 2}, twenty{deep(20), gradients::off, 100, 64, 1, 2};
  CHECK(twenty.tape.bytes() <= two.tape.bytes() + 100 * 64 * sizeof(double));
}

TEST_CASE("parameters: filled by (seed, place), found by name, refused in another shape", "[nn][parameters]") {
  using nn::initial;
  nn::parameter_store<float> store;
  const auto weight = store.declare("w", 100, 50, initial::fan_in, 100, 3);
  const auto gain = store.declare("g", 1, 7, initial::one, 1, 3);
  const auto bias = store.declare("b", 1, 7, initial::zero, 1, 3);
  CHECK(store.list().size() == 3);
  for (const auto& p : store.list()) CHECK(p.offset % 16 == 0);  // each on a line of its own
  double sum = 0, square = 0, most = 0;
  for (laws::index i = 0; i < weight.count(); ++i) {
    const auto v = static_cast<double>(store.at(weight)[i]);
    sum += v;
    square += v * v;
    most = std::max(most, std::abs(v));
  }
  CHECK(most <= 0.1);  // 1 / sqrt(100)
  CHECK(square / 5000 == Approx(0.01 / 3).epsilon(0.1));
  CHECK(std::abs(sum / 5000) < 0.003);
  CHECK(std::all_of(store.at(gain), store.at(gain) + 7, [](float v) { return v == 1; }));
  CHECK(std::all_of(store.at(bias), store.at(bias) + 7, [](float v) { return v == 0; }));

  nn::parameter_store<float> again, other;
  (void)again.declare("w", 100, 50, initial::fan_in, 100, 3);
  (void)other.declare("w", 100, 50, initial::fan_in, 100, 4);
  CHECK(std::equal(again.values().begin(), again.values().end(), store.values().begin()));
  CHECK(!std::equal(other.values().begin(), other.values().end(), store.values().begin()));

  CHECK(store.declare("w", 100, 50, initial::zero, 100, 3).offset == weight.offset);  // known, and left as it is
  CHECK(store.at(weight)[0] != 0);
  CHECK_THROWS_WITH(store.declare("w", 50, 100, initial::zero, 50, 3),
                    "parameter_store: 'w' needs shape (50, 100), got (100, 50)");
  CHECK(store.find("x") == nullptr);

  nn::parameter_store<float> sizes{nn::storage::none};
  (void)sizes.declare("w", 1'000'000, 1'000'000, initial::fan_in, 1'000'000, 3);
  CHECK(sizes.count() == 1'000'000'000'000);
  CHECK(sizes.values().empty());
}
