# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of run_peers.py as written for PyTorch: eager, and compiled by inductor."""

import numpy as np
import torch
import torch.nn.functional as F
import torch._inductor.config as inductor
from torch import nn
from torch._inductor import select_algorithm

import mlp4x256 as net

select_algorithm.PRINT_AUTOTUNE = False
UNROLLED = 10  # DDIM steps of one row in one compiled graph; at more rows the call of a graph costs little beside it
IMAGES = (16, 3, 256, 256)


def compiled(module, example, **settings):
    """Compiles for the example's shapes; the example is made of inference tensors, as what is passed later must be."""
    with inductor.patch(max_autotune_report_choices_stats=False, **settings):
        f = torch.compile(module, dynamic=False)
        f(*example)
    return f


# For inference: weights frozen and packed; inductor's own C++ matrix kernels, with what follows fused in, where
# autotuning finds them faster.
TUNED = {"freezing": True, "max_autotune": True}


class Steps(nn.Module):
    """Some DDIM steps with the time vectors and the coefficients given: bias (k, 4, 256), weights (k, 2)."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, bias, weights):
        for k in range(bias.shape[0]):
            x = weights[k, 0] * x + weights[k, 1] * self.model.body(x, bias[k])
        return x


class Levels(nn.Module):
    """Mean squared error of the noise estimate over 50 levels and the columns: x (n, 32) -> (n)."""

    def __init__(self, model, bias, levels, noise):
        super().__init__()
        self.model = model
        self.register_buffer("a", levels[:, 0].float()[:, None])
        self.register_buffer("s", levels[:, 1].float()[:, None])
        self.register_buffer("noise", noise)
        self.register_buffer("bias", bias.transpose(0, 1).contiguous())  # (4, 50, 256)

    def forward(self, x):
        noisy = self.a * x[:, None, :] + self.s * self.noise
        if x.shape[0] == 1:
            return (self.model.body(noisy[0], self.bias) - self.noise).square().mean()[None]
        return (self.model.body(noisy, self.bias) - self.noise).square().mean(dim=(1, 2))


def ddim(model, x, tune):
    """Variants of 50 DDIM steps from x (n, 32)."""
    t, levels = net.ddim_steps()
    ts = [k[None].expand(x.shape[0]) for k in t]
    plain = [tuple(row) for row in levels.tolist()]
    ab = net.folded(levels).float()
    ab_plain = [tuple(row) for row in ab.tolist()]
    bias = model.biases(t)

    @torch.inference_mode()
    def eager():  # as in a sampling loop of today: the network is called with a timestep for each row
        y = x
        for k, (a, s, a_to, s_to) in zip(ts, plain):
            eps = model(y, k)
            clean = (y - s * eps) / a
            y = a_to * clean + s_to * eps
        return y

    @torch.inference_mode()
    def eager_table():  # time vectors computed beforehand, the update folded
        y = x
        for k, (a, b) in enumerate(ab_plain):
            y = torch.add(a * y, model.body(y, bias[k]), alpha=b)
        return y

    variants = {"torch eager": eager, "torch eager, time table": eager_table}
    if tune:
        at_once = UNROLLED if x.shape[0] == 1 else 1
        with torch.inference_mode():
            begin = x.clone()
            parts = [(bias[k : k + at_once].clone(), ab[k : k + at_once].clone()) for k in range(0, net.STEPS, at_once)]
            steps = compiled(Steps(model).eval(), (begin, *parts[0]), **TUNED)

        @torch.inference_mode()
        def compiled_table():
            y = begin
            for part in parts:
                y = steps(y, *part)
            return y

        variants[f"torch compiled x{at_once}, time table"] = compiled_table
    return variants


def levels(model, x, noise, tune):
    """Variants of the score of each row of x (n, 32) at 50 levels with noise (50, 32), all in one forward."""
    t, lv = net.ddim_steps()
    a, s = lv[:, 0].float()[:, None], lv[:, 1].float()[:, None]
    every_t = t.repeat(x.shape[0])
    module = Levels(model, model.biases(t), lv, noise).eval()

    @torch.inference_mode()
    def eager():
        noisy = (a * x[:, None, :] + s * noise).reshape(-1, net.COLUMNS)
        eps = model(noisy, every_t).reshape(-1, net.STEPS, net.COLUMNS)
        return (eps - noise).square().mean(dim=(1, 2))

    @torch.inference_mode()
    def eager_table():
        return module(x)

    variants = {"torch eager": eager, "torch eager, time table": eager_table}
    if tune:
        with torch.inference_mode():
            rows = x.clone()
            scored = compiled(module, (rows,), **TUNED)

        @torch.inference_mode()
        def compiled_table():
            return scored(rows)

        variants["torch compiled, time table"] = compiled_table
    return variants


def train(seed, x, tune):
    """Variants of one training step on x (n, 32); each has its own network."""
    bar = net.alpha_bar()
    a, s = bar.sqrt().float()[:, None], (1 - bar).sqrt().float()[:, None]

    def loss_of(model, t, eps):
        return F.mse_loss(model(a[t] * x + s[t] * eps, t), eps)

    def step_of(loss, **adam):
        model = net.seeded(seed)
        optimiser = torch.optim.AdamW(model.parameters(), **adam)
        run = loss(model)

        def step():
            t = torch.randint(0, net.TIMESTEPS, (x.shape[0],))
            value = run(t, torch.randn_like(x))
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            return value

        return step

    plain = lambda model: lambda t, eps: loss_of(model, t, eps)
    variants = {
        "torch eager, foreach AdamW": step_of(plain, foreach=True),
        "torch eager, fused AdamW": step_of(plain, fused=True),
    }
    if tune:
        variants["torch compiled, fused AdamW"] = step_of(
            lambda model: torch.compile(lambda t, eps: loss_of(model, t, eps), dynamic=False), fused=True)
    return variants


def update(tune):
    """Variants of a stochastic DDIM step (eta > 0) on 3.1 million floats, network output given."""
    a, s, a_to, s_to, fresh = 0.8, 0.6, 0.85, (1 - 0.85**2) ** 0.5, 0.2
    x, eps = torch.randn(IMAGES), torch.randn(IMAGES)

    def formula(x, eps):
        clean = (x - s * eps) / a
        direction = (s_to**2 - fresh**2) ** 0.5 * eps
        previous = a_to * clean + direction
        noise = torch.randn(x.shape)
        return previous + fresh * noise

    @torch.inference_mode()
    def eager():
        return formula(x, eps)

    noise, out = torch.empty(IMAGES), torch.empty(IMAGES)
    keep = a_to / a
    estimate = (s_to**2 - fresh**2) ** 0.5 - a_to * s / a

    @torch.inference_mode()
    def eager_in_place():
        torch.mul(x, keep, out=out).add_(eps, alpha=estimate).add_(noise.normal_(), alpha=fresh)
        return out

    variants = {"torch eager": eager, "torch eager, folded in place": eager_in_place}
    if tune:
        with torch.inference_mode():
            there = x.clone(), eps.clone()
            f = compiled(formula, there, fallback_random=True)  # inductor's own normals are slower than PyTorch's

        @torch.inference_mode()
        def inductor_form():
            return f(*there)

        variants["torch compiled"] = inductor_form
    return variants


def randn():
    """Variants of 3.1 million standard normals in float32."""
    out = torch.empty(IMAGES)
    numbers, generator = np.empty(out.numel(), np.float32), np.random.Generator(np.random.SFC64(1))
    return {
        "torch randn": lambda: torch.randn(IMAGES),
        "torch normal_ in place": lambda: out.normal_(),
        "numpy SFC64, one thread": lambda: generator.standard_normal(dtype=np.float32, out=numbers),
    }
