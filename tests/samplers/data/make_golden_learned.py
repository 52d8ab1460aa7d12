# SPDX-License-Identifier: Apache-2.0
"""Writes golden_learned_0_42_1.json: runs of DDPM with a learned variance.

pip install diffusers==0.42.1 torch numpy; python make_golden_learned.py > golden_learned_0_42_1.json
"""
import json

import diffusers
import diffusers.schedulers.scheduling_ddpm as module
import torch

assert diffusers.__version__ == "0.42.1"

drawn = 0


def noise(*_, **__):
    """The j-th noise drawn: sin(1 + k + 3 j) at element k."""
    global drawn
    z = torch.sin(1 + torch.arange(8, dtype=torch.float32) + 3 * drawn).reshape(1, 8)
    drawn += 1
    return z


module.randn_tensor = noise


def network(x, t, direct):
    """F and v: v = sin(2 x + t / 100), or, as a variance of its own, (1 + v) / 200."""
    f = 0.5 * x + 0.1 * torch.sin(3 * x) + 1e-4 * float(t)
    v = torch.sin(2 * x + float(t) / 100)
    return torch.cat([f, (1 + v) / 200 if direct else v], dim=1)


def run(kind, variance, steps):
    global drawn
    drawn = 0
    scheduler = module.DDPMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear",
                                     clip_sample=False, prediction_type=kind, variance_type=variance)
    scheduler.set_timesteps(steps)
    x = torch.linspace(-1, 1, 8).reshape(1, 8)
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t, variance == "learned"), t, x).prev_sample
    return x.flatten().tolist()


out = {f"ddpm/{variance}/{kind}/{steps}": run(kind, variance, steps)
       for variance in ("learned_range", "learned")
       for kind in ("epsilon", "sample", "v_prediction")
       for steps in (10, 50)}
print("{\n" + ",\n".join(f"  {json.dumps(k)}: [{', '.join(f'{v:.9g}' for v in run_)}]" for k, run_ in out.items()) +
      "\n}")
