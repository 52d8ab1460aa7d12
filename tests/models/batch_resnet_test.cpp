// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/ddpm_reconstruction.hpp>
#include <anodiff/models/batch_resnet.hpp>
#include "laws/denoiser_laws.hpp"

namespace batch_resnet_test {

using namespace anodiff;
using models::batch_resnet;
using models::batch_resnet_architecture;

TEST_CASE("batch_resnet: a policy", "[models]") {
  laws::check_policy<batch_resnet_architecture>(
      {.width = 3, .hidden = 4, .blocks = 1, .dropout_first = 0.25, .dropout_second = 0.5, .time_features = 6});
  laws::check_policy<batch_resnet<cpu_engine>>();
}

TEST_CASE("batch_resnet: gradients of the whole network", "[models][gradients]") {
  const batch_resnet_architecture network{
      {.width = 6, .hidden = 9, .blocks = 2, .dropout_first = 0.2, .dropout_second = 0.1, .time_features = 4}};
  laws::double_network all{[&](auto& t, nn::value x, nn::value features) { return network.forward(t, x, features); },
                           nn::gradients::all,
                           6,
                           3,
                           3,
                           4};
  (void)all.forward();
  all.backward();
  const auto loss = [&] { return all.forward(); };
  const auto gradient = all.tape.parameter_gradients();
  for (const auto& p : all.store.list()) {
    if (p.name.find(".running_") != std::string::npos) continue;  // they move with each pass
    INFO("parameter " << p.name);
    CHECK(laws::gradient_error({all.store.at(p), static_cast<std::size_t>(p.count())}, gradient.data() + p.offset,
                               loss) < 1e-6);
  }
  CHECK(laws::gradient_error(all.x_data, all.tape.gradient(all.x), loss) < 1e-6);
  CHECK(laws::gradient_error(all.feature_data, all.tape.gradient(all.features), loss) < 1e-6);
}

TEST_CASE("batch_resnet: the laws of a denoiser", "[models][laws]") {
  for (const laws::index d : {1, 32}) {
    INFO(d << " columns");
    laws::check_denoiser<batch_resnet_architecture>({.width = 19, .hidden = 37, .blocks = 2, .time_features = 16}, d);
  }
}

TEST_CASE("batch_resnet: stored and read back", "[models]") {
  laws::check_storage<batch_resnet_architecture>({.width = 5, .hidden = 7, .blocks = 2, .time_features = 4});
}

TEST_CASE("batch_resnet: refuses sizes out of range", "[models]") {
  CHECK_THROWS_WITH(batch_resnet_architecture({.width = 0}),
                    "models::batch_resnet: width must lie in [1, 65536], got 0");
  CHECK_THROWS_WITH(batch_resnet_architecture({.dropout_second = 1}),
                    "models::batch_resnet: dropout must lie in [0, 1), got 1");
  CHECK_THROWS_WITH(batch_resnet_architecture({.time_features = 3}),
                    "models::batch_resnet: time_features must be even and lie in [2, 4096], got 3");
}

TEST_CASE("ddpm_published: the moving statistics follow training, and the score repeats", "[models][methods]") {
  methods::ddpm_published<cpu_engine>::options numbers{.steps = 5, .calibration_share = 0};
  numbers.training.steps = 60;
  numbers.model.width = 8;
  numbers.model.hidden = 8;
  numbers.schedule.steps = 20;
  tensor<double, 2> rows{{128, 2}};
  for (laws::index i = 0; i < rows.size(); ++i) rows.data()[i] = random_normal({}, static_cast<std::uint64_t>(i));
  const auto fitted = [&](int threads) {
    methods::ddpm_published<cpu_engine> out{numbers, cpu_engine{threads}};
    out.fit(rows);
    return out;
  };
  auto model = fitted(1), again = fitted(2);
  const auto& store = model.model().store();
  const auto* variance = store.find("norm.running_var");
  REQUIRE(variance != nullptr);
  CHECK(*store.at(*variance) != 1);
  tensor<double, 2> probe{{2, 2}};
  probe(1, 0) = 30;
  const auto score = model.score(probe).score;
  CHECK(score == again.score(probe).score);
  CHECK(score[1] > score[0]);
}

}  // namespace batch_resnet_test
