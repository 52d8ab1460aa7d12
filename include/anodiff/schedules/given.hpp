// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/from_betas.hpp>

namespace anodiff::schedules {

struct given_params {
  std::vector<double> betas = std::vector<double>(1000, 0.01);  ///< β_1 … β_T; each in (0, 1), 1 to 10000 of them

  /// The number of steps, then each β by its number: where it is read, `steps` comes first.
  static void fields(auto& self, auto&& field) {
    auto steps = static_cast<index>(self.betas.size());
    field("steps", steps);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(self)>>) {
      check(steps >= 1 && steps <= 10'000, "schedules::given: steps must lie in [1, 10000], got ", steps);
      self.betas.resize(static_cast<std::size_t>(steps), 0.01);
    }
    char name[32] = "beta_";
    for (std::size_t i = 0; i < self.betas.size(); ++i) {
      const char* const end = std::to_chars(name + 5, name + sizeof name, i + 1).ptr;
      field(std::string_view{name, static_cast<std::size_t>(end - name)}, self.betas[i]);
    }
  }
};

/// Any list of β, as a training script or a checkpoint has it. Ho et al. 2020, arXiv:2006.11239, eq. 4.
class given {
 public:
  using params = given_params;
  static constexpr std::string_view name = "given";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit given(params p = {}) : params_{std::move(p)} {
    check(!params_.betas.empty() && params_.betas.size() <= 10'000,
          "schedules::given: steps must lie in [1, 10000], got ", params_.betas.size());
    (void)levels();  // checks each β
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const { return from_betas(params_.betas); }

 private:
  params params_;
};
static_assert(schedule<given>);

}  // namespace anodiff::schedules
