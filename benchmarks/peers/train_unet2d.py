# SPDX-License-Identifier: Apache-2.0
"""One step of training of the 35.7M network of DDPM for CIFAR-10 on 8 pictures, and the largest memory of a step and of
a pass: PyTorch eager, with and without channels last, and ours. Each measurement is a process of its own, in turns; the
memory that a process holds with the network loaded and nothing done is printed too.

pip install -r requirements.txt diffusers==0.42.1; python train_unet2d.py --ours PROGRAM [--threads N]
PROGRAM is anodiff_unet2d.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", required=True, help="the program anodiff_unet2d")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--worker", help=argparse.SUPPRESS)
options = parser.parse_args()


def network():
    import torch
    from diffusers import UNet2DModel

    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    return UNet2DModel(sample_size=32, block_out_channels=(128, 256, 256, 256), attention_head_dim=None,
                       flip_sin_to_cos=False, freq_shift=1, downsample_padding=0, norm_eps=1e-6,
                       down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
                       up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"))


def worker(what):
    import torch

    if what.startswith("save "):
        return network().save_pretrained(what.removeprefix("save "))
    form = torch.channels_last if "last" in what else torch.contiguous_format
    model = network().to(memory_format=form)
    x = torch.randn(options.batch, 3, 32, 32).to(memory_format=form)
    signal = torch.linspace(0.99, 0.01, 1000)
    times = []
    if "train" in what:
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
        while len(times) < 4 or sum(times[1:]) < 3:
            start = time.perf_counter()
            level = torch.randint(0, 1000, (options.batch,))
            noise, share = torch.randn_like(x), signal[level].reshape(-1, 1, 1, 1)
            guess = model(share.sqrt() * x + (1 - share).sqrt() * noise, level, return_dict=False)[0]
            torch.nn.functional.mse_loss(guess, noise).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            times.append(time.perf_counter() - start)
    elif "pass" in what:
        model.eval()
        with torch.inference_mode():
            for _ in range(4):
                start = time.perf_counter()
                model(x, torch.full((options.batch,), 500), return_dict=False)
                times.append(time.perf_counter() - start)
    seconds = statistics.median(times[1:]) if times else 0
    print(json.dumps({"ms": 1e3 * seconds, "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}))


def of_worker(what):
    text = subprocess.run([sys.executable, __file__, "--worker", what, "--ours", options.ours, "--threads",
                           str(options.threads), "--batch", str(options.batch)], check=True, capture_output=True,
                          text=True).stdout
    return json.loads(text.splitlines()[-1]) if text else None


def of_ours(folder, arguments):
    text = subprocess.run([options.ours, folder, "--threads", str(options.threads), *arguments], check=True,
                           capture_output=True, text=True).stdout
    found = json.loads(text.splitlines()[-1])
    return {"ms": found["median_us"] / 1e3, "peak_MB": found["peak_MB"]}


if options.worker:
    worker(options.worker)
    sys.exit()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(options.threads)
with tempfile.TemporaryDirectory() as folder:
    of_worker(f"save {folder}")
    found = {}
    for _ in range(options.rounds):
        for what in ("load", "pass", "pass, channels last", "train", "train, channels last"):
            found.setdefault(f"torch {what}", []).append(of_worker(what))
        found.setdefault("ours pass", []).append(of_ours(folder, ["--batches", str(options.batch)]))
        found.setdefault("ours train", []).append(of_ours(folder, ["--train", str(options.batch)]))
for name, runs in found.items():
    print(json.dumps({"name": name, "batch": options.batch, "threads": options.threads,
                      **{key: round(statistics.median(r[key] for r in runs), 1) for key in ("ms", "peak_MB")}}))
