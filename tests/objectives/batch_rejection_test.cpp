// SPDX-License-Identifier: Apache-2.0
#include "laws/objective_laws.hpp"

using namespace anodiff;
using objectives::batch_rejection;
using objectives::squared_error;

TEST_CASE("batch_rejection: the gradient is that of the kept rows' mean loss", "[objectives][laws]") {
  for (const double rejected : {0.0, 0.34, 0.5, 0.9})
    for (const laws::index n : {1, 7, 30}) laws::check_objective(batch_rejection{{.rejected = rejected}}, n, 5);
}

TEST_CASE("batch_rejection: four rows by hand", "[objectives]") {
  cpu_engine engine{1};
  laws::measured<cpu_engine> m{4, 1, {1}};
  m.output = {1, 4, 2, 3};
  m.target = {0, 0, 0, 0};
  CHECK(m.run(batch_rejection{{.rejected = 0.25}}, engine) == Approx((1 + 4 + 9) / 3.0));
  CHECK(m.row_loss[1] == 0);
  CHECK(m.row_loss[0] == Approx(4 / 3.0));
  const std::vector<double> expected{2 / 3.0, 0, 4 / 3.0, 2};  // 2 F / kept
  for (std::size_t i = 0; i < 4; ++i) CHECK(static_cast<double>(m.gradient[i]) == Approx(expected[i]));
  CHECK(m.run(batch_rejection{{.rejected = 0.24}}, engine) == Approx((1 + 16 + 4 + 9) / 4.0));
}

TEST_CASE("batch_rejection: rows are compared with those of their level", "[objectives]") {
  cpu_engine engine{1};
  laws::measured<cpu_engine> m{4, 1, {1, 1}};  // rows 0 and 2 at the first level, 1 and 3 at the second
  m.output = {1, 20, 2, 30};
  m.target = {0, 0, 0, 0};
  CHECK(m.run(batch_rejection{{.rejected = 0.5}}, engine) == Approx((1 + 400) / 2.0));
  CHECK(m.row_loss[2] == 0);
  CHECK(m.row_loss[3] == 0);
}

TEST_CASE("batch_rejection: without rejection it is the squared error, bit by bit", "[objectives]") {
  cpu_engine engine{1};
  laws::measured<cpu_engine> all{7, 5, {1, 0.25F, 3}}, plain{7, 5, {1, 0.25F, 3}};
  CHECK(all.run(batch_rejection{{.rejected = 0}}, engine) == plain.run(squared_error{}, engine));
  CHECK(all.gradient == plain.gradient);
  const noise_level level{0.6, 0.8, 0};
  CHECK(batch_rejection{{.weighting = objectives::loss_weighting::min_snr}}.weigh(level, 2) ==
        squared_error{{.weighting = objectives::loss_weighting::min_snr}}.weigh(level, 2));
}

TEST_CASE("batch_rejection: of equal losses the first row is left out, and shares out of range are refused",
          "[objectives]") {
  cpu_engine engine{1};
  laws::measured<cpu_engine> m{4, 1, {1}};
  m.output = {1, 1, 1, 1};
  m.target = {0, 0, 0, 0};
  CHECK(m.run(batch_rejection{{.rejected = 0.25}}, engine) == Approx(1));
  CHECK(m.row_loss[0] == 0);
  CHECK_THROWS_WITH((batch_rejection{{.rejected = 1}}),
                    "objectives::batch_rejection: rejected must lie in [0, 1), got 1");
  CHECK_THROWS_WITH((batch_rejection{{.rejected = -0.1}}),
                    "objectives::batch_rejection: rejected must lie in [0, 1), got -0.1");
}
