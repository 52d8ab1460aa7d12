# SPDX-License-Identifier: Apache-2.0
"""Writes golden_runs_0_42_1.json: runs of schedulers that golden_schedulers.json has not.

pip install diffusers==0.42.1 torch numpy scipy; python make_golden.py > golden_runs_0_42_1.json
"""
import importlib
import json
import math

import diffusers
import numpy as np
import torch
from diffusers import (DDIMScheduler, DDPMScheduler, DEISMultistepScheduler, DPMSolverMultistepScheduler,
                       DPMSolverSinglestepScheduler, EDMEulerScheduler, EulerAncestralDiscreteScheduler,
                       FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler, HeunDiscreteScheduler,
                       PNDMScheduler, UniPCMultistepScheduler)

assert diffusers.__version__ == "0.42.1"

drawn = 0


def noise(*_, **__):
    """The j-th noise drawn: sin(1 + k + 3 j) at element k."""
    global drawn
    z = torch.sin(1 + torch.arange(8, dtype=torch.float32) + 3 * drawn).reshape(1, 8)
    drawn += 1
    return z


def network(i, t):
    return 0.5 * i + 0.1 * torch.sin(3 * i) + 1e-4 * float(t)


def run(scheduler, steps, drop_last=0, **more):
    global drawn
    drawn = 0
    module = importlib.import_module(type(scheduler).__module__)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = noise
    scheduler.set_timesteps(steps)
    start = float(getattr(scheduler, "init_noise_sigma", 1.0))
    x = torch.linspace(-1, 1, 8).reshape(1, 8) * start
    times = scheduler.timesteps
    for t in times[: len(times) - drop_last]:
        i = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(network(i, t), t, x, **more).prev_sample
    return [None if math.isnan(v) else float(np.float32(v)) for v in x.flatten().tolist()]


linear = dict(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
out = {}
for kind in ("epsilon", "sample", "v_prediction"):
    plain = dict(clip_sample=False, prediction_type=kind, **linear)
    for variance in ("fixed_small", "fixed_small_log", "fixed_large"):
        out[f"ddpm/{variance}/{kind}/10"] = run(DDPMScheduler(variance_type=variance, **plain), 10)
    for eta in (0.5, 1.0):
        out[f"ddim/{eta:.1f}/{kind}/10"] = run(DDIMScheduler(**plain), 10, eta=eta)
    out[f"heun/linspace/{kind}/10"] = run(HeunDiscreteScheduler(prediction_type=kind, **linear), 10)
    out[f"heun/karras/{kind}/10"] = run(HeunDiscreteScheduler(prediction_type=kind, use_karras_sigmas=True, **linear), 10)
    for order in (1, 2, 3):
        out[f"deis/{order}/{kind}/10"] = run(DEISMultistepScheduler(solver_order=order, prediction_type=kind, **linear), 10)
        out[f"deis/{order}/{kind}/20"] = run(DEISMultistepScheduler(solver_order=order, prediction_type=kind, **linear), 20)
        for solver in ("bh1", "bh2"):
            out[f"unipc/{solver}/{order}/{kind}/10"] = run(
                UniPCMultistepScheduler(solver_order=order, solver_type=solver, final_sigmas_type="sigma_min",
                                        prediction_type=kind, **linear), 10)
    for order, solver in ((1, "midpoint"), (2, "midpoint"), (2, "heun")):
        out[f"sde-dpmsolver++/{order}/{solver}/{kind}/10"] = run(
            DPMSolverMultistepScheduler(solver_order=order, algorithm_type="sde-dpmsolver++", solver_type=solver,
                                        prediction_type=kind, **linear), 10)
    for order, solver in ((2, "midpoint"), (2, "heun"), (3, "midpoint")):
        out[f"single/{order}/{solver}/{kind}/10"] = run(
            DPMSolverSinglestepScheduler(solver_order=order, solver_type=solver, prediction_type=kind, **linear), 10)
    if kind == "epsilon":  # others are combined before they are turned to noise; without the last, fourth-order step
        out[f"pndm/{kind}/10"] = run(PNDMScheduler(skip_prk_steps=True, prediction_type=kind, **linear), 10, drop_last=1)
    if kind != "sample":  # not there
        out[f"euler_ancestral/{kind}/10"] = run(EulerAncestralDiscreteScheduler(prediction_type=kind, **linear), 10)
out["edm_euler/10"] = run(EDMEulerScheduler(), 10)
out["flow_euler/10"] = run(FlowMatchEulerDiscreteScheduler(), 10)
out["flow_heun/10"] = run(FlowMatchHeunDiscreteScheduler(), 10)

print("{\n" + ",\n".join(f"  {json.dumps(k)}: [{', '.join('null' if v is None else f'{v:.9g}' for v in run_)}]"
                         for k, run_ in out.items()) + "\n}")
