# SPDX-License-Identifier: Apache-2.0
"""The benchmark network mlp4x256 in PyTorch, its weights and its reference outputs.

Input x of 32 columns, integer timestep t in 0 … 999, output a noise estimate of 32 columns:

    time vector  v = W_t2 SiLU(W_t0 s(t) + b_t0) + b_t2          64 -> 256 -> 256
    h            = W_in x + b_in                                  32 -> 256, no activation
    h            = SiLU(W_hl h + b_hl + W_pl v + b_pl)            256 -> 256, l = 0 … 3
    output       = W_out h + b_out                                256 -> 32

s(t) = [sin(t f_0), …, sin(t f_31), cos(t f_0), …, cos(t f_31)], f_i = exp(-ln(10000) i / 32), in float64, rounded to
float32. SiLU(z) = z / (1 + exp(-z)).

Weights are float32 in PyTorch's layout [out, in]; names: time.0, time.2, in, hidden.0 … hidden.3, project.0 …
project.3, out, each with .weight and .bias. They are PyTorch's default initialisation under a seed.

    mlp4x256.py --make-weights F.safetensors [--seed 0] [--reference R.json]
    mlp4x256.py --reference R.json --weights F.safetensors
"""

import argparse
import hashlib
import json

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

COLUMNS, WIDTH, LAYERS, SINUSOIDS, TIMESTEPS = 32, 256, 4, 64, 1000
STEPS = 50


def time_features() -> torch.Tensor:
    """s(t) for every timestep, (1000, 64) float32."""
    frequency = torch.exp(-torch.log(torch.tensor(10000.0, dtype=torch.float64)) * torch.arange(32) / 32)
    angle = torch.arange(TIMESTEPS, dtype=torch.float64)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


class Mlp4x256(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(SINUSOIDS, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.add_module("in", nn.Linear(COLUMNS, WIDTH))
        self.hidden = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
        self.project = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
        self.out = nn.Linear(WIDTH, COLUMNS)
        self.register_buffer("features", time_features(), persistent=False)

    def forward(self, x, t):
        """x (n, 32); t (n) or (1), integer. Returns (n, 32)."""
        v = self.time(self.features[t])
        h = getattr(self, "in")(x)
        for hidden, project in zip(self.hidden, self.project):
            h = F.silu(hidden(h) + project(v))
        return self.out(h)

    def biases(self, t):
        """What each hidden layer adds at timesteps t (k): its own bias and the projected time vector, (k, 4, 256)."""
        v = self.time(self.features[t])
        return torch.stack([h.bias + p(v) for h, p in zip(self.hidden, self.project)], dim=1)

    def body(self, x, bias):
        """The network with its time part given: bias (4, 256), for every row, or 4 that broadcast."""
        h = getattr(self, "in")(x)
        for l, hidden in enumerate(self.hidden):
            b = bias[l]
            h = F.silu(F.linear(h, hidden.weight, b) if b.dim() == 1 else F.linear(h, hidden.weight) + b)
        return self.out(h)


def alpha_bar() -> torch.Tensor:
    """Cumulative products of 1 - beta, beta linear from 1e-4 to 0.02 over 1000 timesteps, (1000) float64."""
    return torch.cumprod(1 - torch.linspace(1e-4, 0.02, TIMESTEPS, dtype=torch.float64), dim=0)


def ddim_steps():
    """50 steps, leading spacing: t = 980, 960, …, 0; the last goes to alpha_bar = 1.

    Returns t (50) and the float64 columns (a, s, a_to, s_to) (50, 4): x_t = a x_0 + s eps, from and to."""
    t = torch.arange(STEPS).flip(0) * (TIMESTEPS // STEPS)
    now = alpha_bar()[t]
    to = torch.cat([now[1:], torch.ones(1, dtype=torch.float64)])
    return t, torch.stack([now.sqrt(), (1 - now).sqrt(), to.sqrt(), (1 - to).sqrt()], dim=1)


def folded(levels):
    """DDIM with eta = 0 as x' = A x + B eps_hat: (50, 2)."""
    a, s, a_to, s_to = levels.unbind(1)
    return torch.stack([a_to / a, s_to - a_to * s / a], dim=1)


def ddim(model, x):
    """The whole loop, unhurried; x (n, 32)."""
    t, levels = ddim_steps()
    for k, (a, b) in zip(t, folded(levels).to(x.dtype)):
        x = a * x + b * model(x, k[None])
    return x


def seeded(seed: int) -> Mlp4x256:
    torch.manual_seed(seed)
    return Mlp4x256()


def digest(model) -> str:
    sha = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(name.encode() + tensor.numpy().tobytes())
    return sha.hexdigest()


def reference(model, seed):
    """Outputs in float64 with the float32 weights, for x_ij = sin(1 + 32 i + j), rounded to float32."""
    x = torch.sin(1 + torch.arange(3 * COLUMNS, dtype=torch.float64)).float().reshape(3, COLUMNS)
    exact = Mlp4x256().double()
    exact.load_state_dict(model.state_dict())
    exact.features = model.features.double()
    t = [0, 1, 137, 999]
    with torch.inference_mode():
        return {
            "seed": seed,
            "torch": torch.__version__,
            "weights_sha256": digest(model),
            "weights_sha256_of": "for each name in sorted order: the name, then its float32 bytes",
            "x": x.tolist(),
            "t": t,
            "output": [exact(x.double(), torch.tensor([k])).tolist() for k in t],
            "output_shape": "[len(t), rows, 32]: the network at x and each t",
            "ddim50": ddim(exact, x.double()).tolist(),
            "ddim50_shape": "[rows, 32]: x taken as x_T at t = 980 and stepped to the end",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make-weights", metavar="F.safetensors")
    parser.add_argument("--weights", metavar="F.safetensors", help="read instead of made from the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reference", metavar="R.json")
    args = parser.parse_args()
    model = seeded(args.seed)
    if args.weights:
        model.load_state_dict(load_file(args.weights))
    if args.make_weights:
        save_file(model.state_dict(), args.make_weights, metadata={"network": "mlp4x256", "seed": str(args.seed)})
    if args.reference:
        with open(args.reference, "w") as file:
            json.dump(reference(model, args.seed if not args.weights else None), file)
            file.write("\n")


if __name__ == "__main__":
    main()
