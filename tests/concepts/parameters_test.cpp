// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <catch2/catch.hpp>

using namespace anodiff;

namespace {

enum class colour { red, green, blue };
constexpr std::array<std::string_view, 3> names_of(colour) { return {"red", "green", "blue"}; }

struct all_kinds {
  bool flag = true;
  anodiff::index count = -7;
  std::uint64_t seed = 18446744073709551615U;
  double share = 0.1;
  colour tint = colour::green;

  static constexpr void fields(auto& self, auto&& field) {
    field("flag", self.flag);
    field("count", self.count);
    field("seed", self.seed);
    field("share", self.share);
    field("tint", self.tint);
  }
};
static_assert(parameters<all_kinds> && parameters<no_params>);

}  // namespace

TEST_CASE("fields are written as text, in their order", "[parameters]") {
  text_fields out;
  append_fields(out, "x.", all_kinds{});
  CHECK(out == text_fields{{"x.flag", "true"},
                           {"x.count", "-7"},
                           {"x.seed", "18446744073709551615"},
                           {"x.share", "0.1"},
                           {"x.tint", "green"}});
  append_fields(out, "none.", no_params{});
  CHECK(out.size() == 5);
}

TEST_CASE("fields are read from text", "[parameters]") {
  all_kinds p;
  CHECK(assign_field(p, "x.", "x.flag", "false"));
  CHECK(assign_field(p, "x.", "x.count", "12"));
  CHECK(assign_field(p, "x.", "x.seed", "0"));
  CHECK(assign_field(p, "x.", "x.share", "-2.5e-3"));
  CHECK(assign_field(p, "x.", "x.tint", "blue"));
  CHECK_FALSE(p.flag);
  CHECK(p.count == 12);
  CHECK(p.seed == 0);
  CHECK(p.share == -2.5e-3);
  CHECK(p.tint == colour::blue);
}

TEST_CASE("names that are not there are not taken", "[parameters]") {
  all_kinds p;
  for (const char* name : {"flag", "y.flag", "x.flags", "x.", "", "x.x.flag", "X.flag"}) {
    INFO(name);
    CHECK_FALSE(assign_field(p, "x.", name, "false"));
  }
  CHECK(p.flag);
  no_params none;
  CHECK_FALSE(assign_field(none, "", "flag", "true"));
}

TEST_CASE("text that is no value is refused, and the field is named", "[parameters]") {
  all_kinds p;
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.flag", "yes"), "x.flag: need true or false, got 'yes'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.count", "1.5"), "x.count: need a whole number, got '1.5'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.count", ""), "x.count: need a whole number, got ''");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.count", "9223372036854775808"),
                    "x.count: need a whole number, got '9223372036854775808'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.seed", "-1"), "x.seed: need a whole number, got '-1'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.share", "0,5"), "x.share: need a number, got '0,5'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.share", " 1"), "x.share: need a number, got ' 1'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.tint", "pink"), "x.tint: need one of red, green, blue, got 'pink'");
  CHECK_THROWS_WITH(assign_field(p, "x.", "x.tint", "1"), "x.tint: need one of red, green, blue, got '1'");
  CHECK_THROWS_AS(assign_field(p, "x.", "x.tint", ""), invalid_argument);
  CHECK(p.count == -7);
  CHECK(p.tint == colour::green);
}

TEST_CASE("the library's enumerations by name", "[parameters]") {
  CHECK(detail::field_to_text(samplers::ddpm_variance::fixed_small) == "fixed_small");
  CHECK(detail::field_to_text(samplers::ddpm_variance::fixed_large) == "fixed_large");
  CHECK(detail::field_to_text(objectives::loss_weighting::uniform) == "uniform");
  CHECK(detail::field_to_text(objectives::loss_weighting::min_snr) == "min_snr");
  CHECK(detail::field_to_text(start_kind::noised) == "noised");
  CHECK(detail::field_to_text(start_kind::scaled) == "scaled");
  CHECK(detail::field_to_text(start_kind::clean) == "clean");
}

TEST_CASE("numbers read from text are still checked by the policy", "[parameters]") {
  calibration::conformal_params p;
  CHECK(assign_field(p, "", "alpha", "nan"));
  CHECK_THROWS_WITH(calibration::conformal{p}, "calibration::conformal: alpha must lie in (0, 1), got nan");
}

TEST_CASE("lambda falls as noise grows", "[noise_level]") {
  CHECK(noise_level{0.6, 0.6, 0}.lambda() == 0);
  CHECK(noise_level{0.8, 0.6, 0}.lambda() == Approx(std::log(4.0 / 3)));
  CHECK(clean_level.lambda() == INFINITY);
  CHECK(noise_level{0, 1, 0}.lambda() == -INFINITY);
}
