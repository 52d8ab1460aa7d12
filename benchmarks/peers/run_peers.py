# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch, ONNX Runtime and, with --ours, another program on the same work, in turns. See benchmarks/README.md.

    run_peers.py [--threads 1,2] [--rounds 5] [--budget 0.15] [--only PREFIX] [--no-compile] [--ours PATH] [--json F]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

NAMES = ["ddim50/b1", "ddim50/b16", "ddim50/b256", "levels50/b1", "levels50/b256", "train/b64", "train/b2048",
         "update/3.1M", "randn/3.1M"]
UNSET = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"]
ALLOWED_ERROR = 1e-3  # relative to the largest value, against the eager network


def note(*parts):
    print(*parts, file=sys.stderr, flush=True)


def build(args):
    """{name: {variant: call}}; every variant that has a defined result is checked against PyTorch eager."""
    import numpy as np
    import torch

    import mlp4x256 as net
    import onnx_peers
    import torch_peers

    torch.set_num_threads(args.worker)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    tune = not args.no_compile
    model = net.seeded(0).eval().requires_grad_(False)
    noise = torch.randn(net.STEPS, net.COLUMNS)
    wanted = [name for name in NAMES if name.startswith(args.only)]
    made = {}
    for name in wanted:
        start = time.perf_counter()
        kind, size = name.split("/")
        rows = int(size[1:]) if size[0] == "b" else 0
        x = torch.randn(rows, net.COLUMNS)
        if kind == "ddim50":
            made[name] = {**torch_peers.ddim(model, x, tune), **onnx_peers.ddim(model, x.numpy(), args.worker)}
        elif kind == "levels50":
            made[name] = {**torch_peers.levels(model, x, noise, tune),
                          **onnx_peers.levels(model, x.numpy(), noise.numpy(), args.worker)}
        elif kind == "train":
            made[name] = torch_peers.train(0, x, tune)
        elif kind == "update":
            made[name] = torch_peers.update(tune)
        else:
            made[name] = torch_peers.randn()
        for call in made[name].values():
            call()  # compiles what is compiled at its first call
        if kind in ("ddim50", "levels50"):
            expected = np.asarray(made[name]["torch eager"]())
            for variant, call in made[name].items():
                error = np.abs(np.asarray(call()) - expected).max() / np.abs(expected).max()
                if not error < ALLOWED_ERROR:
                    raise SystemExit(f"{name}: {variant} differs from PyTorch eager by {error:.1e}")
        note(f"  {name}: ready in {time.perf_counter() - start:.1f} s")
    return made


def run_ours(path, threads):
    """{name: microseconds} from the program's JSON lines; other lines are left alone."""
    done = subprocess.run([path, "--json", "--threads", str(threads)], stdout=subprocess.PIPE, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: line["median_us"] for line in lines if line.get("threads", threads) == threads}


def measure(made, args):
    samples = {(name, variant): [] for name, variants in made.items() for variant in variants}
    ours = {}
    for turn in range(args.rounds):
        for name, variants in made.items():
            for variant, call in variants.items():
                time.sleep(0.01)  # lets the last library's threads stop spinning
                call()
                begin = time.perf_counter()
                while True:
                    start = time.perf_counter()
                    call()
                    stop = time.perf_counter()
                    samples[name, variant].append((stop - start) * 1e6)
                    if stop - begin > args.budget:
                        break
        if args.ours:
            for name, value in run_ours(args.ours, args.worker).items():
                ours.setdefault(name, []).append(value)
        note(f"  turn {turn + 1} of {args.rounds} done")
    return samples, ours


def summary(values):
    quarters = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {"median_us": round(quarters[1], 2), "iqr_us": round(quarters[2] - quarters[0], 2), "n": len(values)}


def worker(args):
    samples, ours = measure(build(args), args)
    results = {}
    for name in NAMES:
        peers = {variant: summary(values) for (of, variant), values in samples.items() if of == name}
        if not peers:
            continue
        best = min(peers, key=lambda variant: peers[variant]["median_us"])
        results[name] = {**peers[best], "peer": best, "peers": peers}
        if name in ours:
            results[name]["ours"] = summary(ours[name])
            results[name]["ours_over_best"] = round(statistics.median(ours[name]) / peers[best]["median_us"], 3)
    with open(args.json, "w") as file:
        json.dump({"threads": args.worker, "results": results}, file)


def machine():
    info = {"system": platform.platform(), "cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    try:
        with open("/proc/cpuinfo") as file:
            fields = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        info["cpu"] = f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})"
        flags = fields["flags"].split()
        info["vectors"] = [f for f in ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile") if f in flags]
    except (OSError, KeyError):
        pass
    return info


def versions():
    from importlib.metadata import version

    return {"python": platform.python_version(), **{p: version(p) for p in ("torch", "onnxruntime", "onnx", "numpy")}}


def table(run):
    width = max(len(v) for result in run["results"].values() for v in result["peers"]) + 2
    print(f"\n{run['threads']} thread(s): median [quartile range] in microseconds, calls timed; * best peer")
    for name, result in run["results"].items():
        for variant, row in result["peers"].items():
            mark = "*" if variant == result["peer"] else " "
            print(f"{name:14} {mark} {variant:{width}} {row['median_us']:12.1f} [{row['iqr_us']:.1f}], {row['n']}")
        if "ours" in result:
            row = result["ours"]
            print(f"{name:14}   {'ours':{width}} {row['median_us']:12.1f} [{row['iqr_us']:.1f}], "
                  f"{result['ours_over_best']:.3f} of the best peer's time")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2", help="thread counts, each in a process of its own")
    parser.add_argument("--rounds", type=int, default=5, help="turns over all peers")
    parser.add_argument("--budget", type=float, default=0.15, help="seconds for one peer in one turn")
    parser.add_argument("--only", default="", metavar="PREFIX", help="names that begin so")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    parser.add_argument("--ours", metavar="PATH", help="program called as PATH --json --threads N in every turn")
    parser.add_argument("--json", metavar="F", help="where the results go")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args)

    report = {"machine": machine(), "versions": versions(), "runs": []}
    for threads in args.threads.split(","):
        settings = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
                    "CUDA_VISIBLE_DEVICES": ""}
        report["settings"] = {"unset": UNSET, "set": [*settings]}
        environment = {k: v for k, v in os.environ.items() if k not in UNSET} | settings
        note(f"{threads} thread(s)")
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            own = ["--worker", threads, "--json", file.name]
            command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], *own]
            subprocess.run(command, env=environment, check=True)
            report["runs"].append(json.load(file))
        table(report["runs"][-1])
    report["machine"]["load_after"] = os.getloadavg()[0]
    if args.json:
        with open(args.json, "w") as file:
            json.dump(report, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
