// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/corruption.hpp>
#include <anodiff/concepts/objective.hpp>

namespace anodiff {

/// The training side of a method in one type: how samples are damaged, and what is minimised.
template <policy Corruption, policy Objective>
struct recipe {
  using corruption_policy = Corruption;
  using objective_policy = Objective;
};

/// The numbers of a training run.
struct training_params {
  index steps = 4000;          ///< optimiser steps; at least 1
  index batch = 256;           ///< rows a step, at most the training rows; [1, 2^20]
  index levels = 64;           ///< distinct noise levels a step, stratified over the schedule; 0 gives each row its own
  double rate = 1e-3;          ///< peak learning rate; above 0
  double warmup = 0.05;        ///< share of the steps in which the rate rises; the rest falls as a cosine; [0, 1]
  double final_rate = 0.01;    ///< last rate as share of the peak; [0, 1]
  double weight_decay = 1e-4;  ///< at least 0
  double beta_1 = 0.9, beta_2 = 0.999;  ///< AdamW's averages; [0, 1)
  double clip = 1;                      ///< largest norm of the gradient; 0 = none
  double average = 0.999;      ///< decay of the averaged weights that scoring uses; [0, 1); 0 = the last weights
  double validation = 0.1;     ///< share of the rows that only measures; [0, 0.9]
  index validate_every = 500;  ///< steps between measurements; at least 1
  double time_budget = 0;      ///< seconds after which training stops; 0 = none

  static constexpr void fields(auto& self, auto&& field) {
    field("steps", self.steps);
    field("batch", self.batch);
    field("levels", self.levels);
    field("rate", self.rate);
    field("warmup", self.warmup);
    field("final_rate", self.final_rate);
    field("weight_decay", self.weight_decay);
    field("beta_1", self.beta_1);
    field("beta_2", self.beta_2);
    field("clip", self.clip);
    field("average", self.average);
    field("validation", self.validation);
    field("validate_every", self.validate_every);
    field("time_budget", self.time_budget);
  }
  /// Throws invalid_argument on numbers outside the ranges above.
  void verify() const {
    const auto in = [](const char* what, auto value, auto low, auto high) {
      check(value >= low && value <= high, "training: ", what, " must lie in [", low, ", ", high, "], got ", value);
    };
    in("steps", steps, index{1}, index{1} << 31);
    in("batch", batch, index{1}, index{1} << 20);
    in("levels", levels, index{0}, index{1} << 20);
    in("rate", rate, 1e-12, 1e3);
    in("warmup", warmup, 0.0, 1.0);
    in("final_rate", final_rate, 0.0, 1.0);
    in("weight_decay", weight_decay, 0.0, 1e3);
    in("beta_1", beta_1, 0.0, 0.9999999);
    in("beta_2", beta_2, 0.0, 0.9999999);
    in("clip", clip, 0.0, 1e12);
    in("average", average, 0.0, 0.9999999);
    in("validation", validation, 0.0, 0.9);
    in("validate_every", validate_every, index{1}, index{1} << 31);
    in("time_budget", time_budget, 0.0, 1e9);
  }
};

}  // namespace anodiff
