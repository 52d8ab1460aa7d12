// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/mlp.hpp>
#include "laws/denoiser_laws.hpp"

using namespace anodiff;
using models::mlp;
using models::mlp_architecture;

TEST_CASE("mlp: a policy", "[models]") {
  laws::check_policy<mlp_architecture>({.width = 3, .layers = 2, .time_features = 6});
  laws::check_policy<mlp<cpu_engine>>();
}

TEST_CASE("mlp: gradients of the whole network", "[models][gradients]") {
  laws::check_model_gradients<mlp_architecture>({.width = 8, .layers = 2, .time_features = 4});
  laws::check_model_gradients<mlp_architecture>({.width = 1, .layers = 1, .time_features = 2});
}

TEST_CASE("mlp: the laws of a denoiser", "[models][laws]") {
  for (const laws::index d : {1, 32, 65}) {
    INFO(d << " columns");
    laws::check_denoiser<mlp_architecture>({.width = 64, .layers = 3, .time_features = 16}, d);
    laws::check_denoiser<mlp_architecture>({.width = 37, .layers = 1, .time_features = 2}, d);
  }
}

TEST_CASE("mlp: the laws of a denoiser at its default size", "[models][laws]") {
  laws::check_denoiser<mlp_architecture>({}, 32);
}

TEST_CASE("mlp: stored and read back", "[models]") {
  laws::check_storage<mlp_architecture>({.width = 5, .layers = 2, .time_features = 4});
}

TEST_CASE("mlp: the network of the benchmarks", "[models][golden]") {
  // benchmarks/peers/mlp4x256.py in PyTorch 2.15, in float64, with closed-form parameters: n is the layer's number in
  // the list below, o and i its output and input. Weights there are (out, in); here they are (in, out).
  mlp<basic_cpu_engine<double>> model{{.width = 256, .layers = 4, .time_features = 64}, basic_cpu_engine<double>{1}};
  model.build({{32}, 0});
  const char* const layers[] = {"time.0",   "time.2",    "in",        "hidden.0",  "hidden.1",  "hidden.2",
                                "hidden.3", "project.0", "project.1", "project.2", "project.3", "out"};
  for (std::size_t n = 0; n < std::size(layers); ++n) {
    const auto* weight = model.store().find(concat(layers[n], ".weight"));
    const auto* bias = model.store().find(concat(layers[n], ".bias"));
    REQUIRE(weight != nullptr);
    REQUIRE(bias != nullptr);
    const double scale = 1 / std::sqrt(static_cast<double>(weight->rows));
    for (laws::index o = 0; o < weight->columns; ++o) {
      const auto out = static_cast<double>(o), layer = static_cast<double>(n);
      model.store().at(*bias)[o] = scale * std::cos(layer + out);
      for (laws::index i = 0; i < weight->rows; ++i) {
        const auto in = static_cast<double>(i);
        model.store().at(*weight)[i * weight->columns + o] =
            scale * std::sin(1 + layer + 0.7 * out + 0.3 * in + 0.01 * out * in);
      }
    }
  }
  CHECK(model.store().list().size() == 2 * std::size(layers));

  std::vector<double> x(3 * 32);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(1 + static_cast<double>(i));
  const std::vector<noise_level> levels{{1, 0, 0}, {1, 0, 1}, {1, 0, 137}, {1, 0, 999}};
  // columns 0, 13 and 31 of rows 0 and 2
  const double golden[4][6] = {{0.0057182418106666, 0.0313577438559086, -0.017011677121495, 0.00597203602478524,
                                0.0316390944263888, -0.0163642878344021},
                               {0.00369114345482612, 0.0329996175421482, -0.0167161344185097, 0.00422793076834264,
                                0.0338724664321661, -0.0165329507821088},
                               {-0.00626422428350893, 0.0383660505827848, -0.0218572312360834, -0.00614017617178576,
                                0.0370831340273618, -0.020552371870331},
                               {-0.0150188197456773, 0.05152822953764, -0.00108608020845853, -0.0153656837487957,
                                0.0491317280766276, -0.00235549154388464}};
  auto run = model.prepare(levels, 3);
  for (std::size_t l = 0; l < 4; ++l) {
    const std::vector<std::int32_t> level(3, static_cast<std::int32_t>(l));
    const double* out = run.output(x.data(), level.data(), 3);
    std::size_t at = 0;
    for (const std::size_t row : {std::size_t{0}, std::size_t{2}})
      for (const std::size_t column : {std::size_t{0}, std::size_t{13}, std::size_t{31}})
        CHECK(out[row * 32 + column] == Approx(golden[l][at++]).margin(1e-13));
  }
}

TEST_CASE("mlp: refuses sizes out of range", "[models]") {
  CHECK_THROWS_WITH(mlp_architecture({.width = 0}), "models::mlp: width must lie in [1, 65536], got 0");
  CHECK_THROWS_WITH(mlp_architecture({.layers = 65}), "models::mlp: layers must lie in [1, 64], got 65");
  CHECK_THROWS_WITH(mlp_architecture({.time_features = 7}),
                    "models::mlp: time_features must be even and lie in [2, 4096], got 7");
  CHECK_THROWS_AS(mlp_architecture({.time_features = 0}), invalid_argument);
}

TEST_CASE("mlp: threads that take some rows each through all layers give what one thread gives", "[models][laws]") {
  mlp<cpu_engine> alone{{.width = 40}, cpu_engine{1}};
  alone.build({{9}, 3});
  for (const int threads : {2, 3})
    for (const laws::index rows : {7, 16, 50, 131, 300}) {
      mlp<cpu_engine> together{{.width = 40}, cpu_engine{threads}};
      together.build({{9}, 3});
      const laws::query<float> q{rows, 9, 4};
      INFO(threads << " threads, " << rows << " rows");
      CHECK(q.ask(together) == q.ask(alone));
    }
}

TEST_CASE("mlp: with weights in halves a row is the same in any batch, and the loss is small", "[models][laws]") {
  mlp<cpu_engine> whole{{}, cpu_engine{1}}, halves{{}, cpu_engine{2, weight_storage::halves}};
  whole.build({{32}, 9});
  halves.build({{32}, 9});
  const laws::query<float> q{20, 32, 4};
  const auto want = q.ask(whole), got = q.ask(halves);
  double error = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    error += std::pow(static_cast<double>(got[i] - want[i]), 2);
    size += std::pow(static_cast<double>(want[i]), 2);
  }
  CHECK(error > 0);
  CHECK(std::sqrt(error / size) < 5e-4);  // 2^-11, the rounding of one weight
  auto run = halves.prepare(q.levels, 20);
  bool same = true;
  for (laws::index i = 0; i < 20; ++i) {
    const float* alone = run.output(q.x.data() + i * 32, q.level.data() + i, 1);
    same = same && std::equal(alone, alone + 32, got.begin() + i * 32);
  }
  CHECK(same);
}

TEST_CASE("mlp: a weight that has no half is refused", "[models]") {
  mlp<cpu_engine> model{{.width = 2, .layers = 1, .time_features = 2}, cpu_engine{1, weight_storage::halves}};
  model.build({{1}, 0});
  model.store().at(*model.store().find("in.weight"))[0] = 70000;
  const std::vector<noise_level> levels{{0.8, 0.6, 1}};
  CHECK_THROWS_WITH(model.prepare(levels, 1),
                    "cpu_engine: a weight of 70000 is too large for half precision; use weight_storage::whole");
}
