# SPDX-License-Identifier: Apache-2.0
"""One pass of the 35.7M network of DDPM for CIFAR-10 (UNet2DModel, random weights): PyTorch, ONNX Runtime, and ours;
in float, and where --rounded is given also in bf16 and in 8 bits.

pip install -r requirements.txt diffusers==0.42.1 onnxscript; python run_unet2d.py --ours PROGRAM [--threads N]
PROGRAM is anodiff_unet2d. All take turns, one after another; medians over all turns; outputs in float are compared to
1e-4, the relative error of the rounded ones is printed. Times are of the clock, and of the processor (all threads together), which a busy machine disturbs less.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", help="the program anodiff_unet2d")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
parser.add_argument("--rounded", action="store_true", help="bf16 and 8 bits too")
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import numpy as np
import torch
import torch._inductor.config as inductor
from diffusers import UNet2DModel

torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)
TIME = 500


class Pass(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x, torch.full((x.shape[0],), TIME, dtype=torch.long), return_dict=False)[0]


def network():
    torch.manual_seed(0)
    return UNet2DModel(sample_size=32, block_out_channels=(128, 256, 256, 256), attention_head_dim=None,
                       flip_sin_to_cos=False, freq_shift=1, downsample_padding=0, norm_eps=1e-6,
                       down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
                       up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D")).eval()


def pictures(batch):
    """sin(1 + 0.7 i) with channels last, as the program has it; in PyTorch's order of extents."""
    x = np.sin(1 + 0.7 * np.arange(batch * 32 * 32 * 3)).astype(np.float32)
    return torch.from_numpy(x.reshape(batch, 32, 32, 3)).permute(0, 3, 1, 2)


def variants(model, folder, batch):
    x = pictures(batch).contiguous()
    last = pictures(batch).contiguous(memory_format=torch.channels_last)
    plain = Pass(model)
    nhwc = Pass(network()).to(memory_format=torch.channels_last)
    out = {"torch eager": torch.inference_mode()(lambda: plain(x)),
           "torch eager, channels last": torch.inference_mode()(lambda: nhwc(last))}
    if not options.no_compile:
        with torch.inference_mode(), inductor.patch(freezing=True):
            compiled = torch.compile(Pass(network()), dynamic=False)
            given = x.clone()
            compiled(given)
        out["torch compiled, frozen"] = torch.inference_mode()(lambda: compiled(given))
    try:
        import onnxruntime as ort

        path = str(pathlib.Path(folder) / f"b{batch}.onnx")
        with torch.no_grad():
            torch.onnx.export(plain, (x,), path, input_names=["x"], output_names=["y"], dynamo=True,
                              external_data=False)
        settings = ort.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads = options.threads, 1
        session = ort.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        given_numpy = x.numpy()
        out["onnxruntime"] = lambda: torch.from_numpy(session.run(None, {"x": given_numpy})[0])
    except ImportError as missing:
        print(f"onnxruntime is left out: {missing}", file=sys.stderr)
    return out


class Samples:
    """What ONNX Runtime's static quantisation calibrates with: pictures like the one that is measured."""

    def __init__(self, batch):
        self.left = [{"x": (pictures(batch) * scale).contiguous().numpy()} for scale in (1, 0.8, 0.5)]

    def get_next(self):
        return self.left.pop() if self.left else None


def rounded_variants(folder, batch):
    last = pictures(batch).contiguous(memory_format=torch.channels_last).bfloat16()
    bf16 = Pass(network()).to(memory_format=torch.channels_last).bfloat16()
    out = {"torch bf16, channels last": torch.inference_mode()(lambda: bf16(last).float())}
    if not options.no_compile:
        with torch.inference_mode(), inductor.patch(freezing=True):
            compiled = torch.compile(Pass(network()).bfloat16(), dynamic=False)
            given = pictures(batch).contiguous().bfloat16()
            compiled(given)
        out["torch bf16 compiled, frozen"] = torch.inference_mode()(lambda: compiled(given).float())
    try:
        import onnxruntime as ort
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        source, ready, path = (str(pathlib.Path(folder) / f"{stem}{batch}.onnx") for stem in ("b", "ready", "int8"))
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_static(ready, path, Samples(batch), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"])
        settings = ort.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads = options.threads, 1
        session = ort.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        x = pictures(batch).contiguous().numpy()
        out["onnxruntime int8"] = lambda: torch.from_numpy(session.run(None, {"x": x})[0])
    except Exception as fault:
        print(f"onnxruntime in int8 is left out: {fault}", file=sys.stderr)
    return out


def turn(call):
    times, begin = [], time.perf_counter()
    call()
    while not times or time.perf_counter() - begin < options.seconds:
        start, used = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - start, time.process_time() - used))
    return times


with tempfile.TemporaryDirectory() as folder:
    model = network()
    model.save_pretrained(folder)
    results = []
    for batch in (1, 8):
        every = variants(model, folder, batch)
        wanted = next(iter(every.values()))()
        for name, call in every.items():
            worst = (call() - wanted).abs().max().item()
            assert worst < 1e-4, f"{name} differs by {worst}"
        rounded = rounded_variants(folder, batch) if options.rounded else {}
        error = {name: ((call() - wanted).norm() / wanted.norm()).item() for name, call in rounded.items()}
        times = {name: [] for name in every | rounded}
        ours, in_bytes = [], []

        def run_ours(weights, into):
            text = subprocess.run([options.ours, folder, "--threads", str(options.threads), "--batches", str(batch),
                                   "--weights", weights], check=True, capture_output=True, text=True).stdout
            line = next(json.loads(t) for t in text.splitlines() if f"unet2d/b{batch}" in t)
            into.append((line["median_us"] / 1e6, line["cpu_us"] / 1e6))
            return line["mean_abs"]

        for _ in range(options.rounds):
            for name, call in (every | rounded).items():
                times[name] += turn(call)
            if options.ours:
                mean, got = wanted.abs().mean().item(), run_ours("whole", ours)
                assert abs(got - mean) < 1e-4 * mean, f"ours: mean {got}, not {mean}"
                if options.rounded:
                    run_ours("bytes", in_bytes)
        entry = {"name": f"unet2d/b{batch}", "threads": options.threads}
        for which, what in enumerate(("clock", "processor")):
            medians = {name: statistics.median(t[which] for t in every_turn) for name, every_turn in times.items()}
            best = min(every, key=medians.get)
            entry[f"{what}_ms"] = {name: round(1e3 * t, 1) for name, t in medians.items()}
            if ours:
                mine = statistics.median(t[which] for t in ours)
                entry[f"{what}_ms"]["ours"] = round(1e3 * mine, 1)
                entry[f"{what}_ours_over_best"] = round(mine / medians[best], 3)
            if in_bytes:
                mine = statistics.median(t[which] for t in in_bytes)
                entry[f"{what}_ms"]["ours in bytes"] = round(1e3 * mine, 1)
                entry[f"{what}_bytes_over_best_float"] = round(mine / medians[best], 3)
        if error:
            entry["relative_error"] = {name: round(e, 5) for name, e in error.items()}
        results.append(entry)
        print(json.dumps(entry), flush=True)
print(json.dumps({"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability(),
                  "load_after": os.getloadavg()}))
