#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the kernels should take on an H100, from bytes, operations and occupancy: a model, no measurement.

    python3 benchmarks/gpu_roofline.py        prints the table of docs/cuda.md

Registers come from tests/cuda/budget.txt (ptxas, sm_90a), shared memory and launches from the kernels' sources. A time is
the largest of the times that each part of the machine needs by itself, so it is a bound from below: a kernel that takes
longer has a reason that is worth finding, and one that the model already puts behind its target needs another design.
"""

import math
import pathlib

# ---- the machine: vendor's figures for an H100 SXM, or assumptions where marked (a) -------------------------------------
SMS, CLOCK = 132, 1.755e9
HBM = 3.35e12            # bytes/s
COPY = 0.92 * HBM        # (a) what a copy reaches
L2 = 5.5e12              # (a) bytes/s
SHARED = 128 * SMS * CLOCK  # bytes/s
ISSUE = 128 * SMS * CLOCK   # thread instructions/s of the float pipes
FP32 = 67e12             # operations/s, fused multiply-adds counting two
BF16 = 989e12            # by wgmma
MMA = 0.62 * BF16        # (a) by mma.sync
LAUNCH, NODE = 2.5e-6, 1.5e-6  # (a) seconds a launch by the host, and a kernel in a graph
L2_LATENCY = 700         # (a) clocks
SHARED_LATENCY = 33      # (a) clocks from a load of shared memory to its value
MMA_LATENCY = 33         # (a) clocks from an mma.sync m16n8k16 to its sums
SENT = 220               # (a) clocks from a word's st.async to the waiting warp of another multiprocessor of the cluster
CLUSTER_LAUNCH = 4e-6    # (a) seconds until the blocks of a cluster run and have met
REGISTERS, THREADS, BLOCKS, BLOCK_SHARED = 65536, 2048, 32, 227 << 10

BUDGET = pathlib.Path(__file__).resolve().parent.parent / "tests" / "cuda" / "budget.txt"


def registers():
    """Kernel -> registers on sm_90a."""
    out = {}
    for line in BUDGET.read_text().splitlines():
        if not line.startswith("#"):
            _, now, name = line.split(" ", 2)
            out[name] = int(now)
    return out


USED = registers()


def occupancy(kernel, block, shared=0):
    """Blocks on a multiprocessor at once. A block of shared memory costs 1 KB more than it asks for."""
    by_registers = REGISTERS // (USED[kernel] * block)
    by_shared = (BLOCK_SHARED + 1024) // (shared + 1024) if shared else BLOCKS
    return min(by_registers, by_shared, THREADS // block, BLOCKS)


rows = []


def row(name, time, bound, figure, target):
    unit = f"{time * 1e6:.0f} µs" if time < 1e-3 else f"{time * 1e3:.2f} ms"
    rows.append((name, unit, bound, figure, target))


def worst(parts):
    """(seconds, name) of the part that takes longest."""
    return max((seconds, name) for name, seconds in parts.items())


# ---- the fused update: x, F -> x, 16 pictures of 1024 by 1024 by 3 ------------------------------------------------------
n = 16 * 3 * 1024 * 1024
for label, instructions in (("fused update", 8), ("fused update with noise", 60)):
    parts = {"memory": 12 * n / COPY, "issue": instructions * n / ISSUE}
    time, bound = worst(parts)
    blocks = occupancy("combine_kernel<true, float, float>", 256)
    in_flight = blocks * 256 * 2 * 16
    needed = HBM / SMS * 700e-9
    row(label, time, bound,
        f"{12 * n / time / COPY:.0%} of copy bandwidth; {blocks} blocks, {in_flight / needed:.1f} × the bytes in flight "
        "that hide 700 ns", "90 %: within reach")

# ---- group normalisation with SiLU: 16 pictures 64 by 64, 128 channels, 32 groups ----------------------------------------
pictures, pixels, channels, groups = 16, 64 * 64, 128, 32
n = pictures * pixels * channels
width = channels // groups
sector = 32 / min(32, 4 * width)  # what crosses L2 for each byte wanted, in 32-byte pieces
for label, reads, kernel, shared in (("group normalisation, kept in shared memory", 1, "group_norm_kernel<true, true, float>",
                                      4 * pixels * width),
                                     ("the same, read three times", 3, "group_norm_kernel<true, false, float>", 0)):
    parts = {"memory": 8 * n / COPY, "L2": 4 * n * (reads * sector + sector) / L2, "issue": 30 * n / ISSUE}
    time, bound = worst(parts)
    blocks = occupancy(kernel, 256, shared)
    fraction = 8 * n / time / COPY
    row(label, time, bound, f"{fraction:.0%} of copy bandwidth; {blocks} blocks",
        "80 %: within reach" if fraction >= 0.8 else "80 %: missed")

# ---- the mlp in one launch: mlp4x256, d = 32 ------------------------------------------------------------------------------
D, WIDTH, LAYERS, STEPS, ROWS = 32, 256, 4, 50, 65536
# operations a row and step: the projection and the first hidden layer are one product
useful = 2 * (D * WIDTH * 2 + (LAYERS - 1) * WIDTH * WIDTH)
whole = lambda k: (k + 63) // 64
tiles = whole(D) * whole(WIDTH) * 2 + (LAYERS - 1) * whole(WIDTH) ** 2  # of 64 by 64 a step
WARPS, TILE = 4, 8192
STAGES = {16: 4, 32: 3}  # tiles in shared memory


def loop(rows_a_warp, epilogue=14):
    """Clocks of a multiprocessor for a tile and its share of what follows it, and the block's rows. A warp reads each
    weight once for its rows, and its activations, kept in registers, once a layer (four tiles)."""
    block_rows = WARPS * rows_a_warp
    operations = 2 * block_rows * 64 * 64
    shared = WARPS * TILE + 2 * block_rows * 64 * 2 / 4 + TILE  # weights, activations to and fro, the tile's arrival
    return {
        "shared memory": shared / 128,
        "mma.sync": operations / (MMA / SMS / CLOCK),
        "L2": TILE / (L2 / SMS / CLOCK),
        # an activation follows four tiles; a tile's 64 products of 16 rows, and what loads their weights and counts
        "issue": block_rows * 64 * epilogue / 4 / 128 + WARPS * (rows_a_warp // 16 * 64 + 40) / 4,
        "special functions": block_rows * 64 * 2 / 4 / 16,
    }, block_rows


for rows_a_warp in (16, 32):
    clocks, block_rows = loop(rows_a_warp)
    stride = whole(max(D, WIDTH)) * 64 + 8
    shared = STAGES[rows_a_warp] * TILE + block_rows * stride * 2 + block_rows * D * 4
    resident = occupancy(f"mlp_loop_kernel<{rows_a_warp // 16}u, float>", 32 * WARPS, shared)
    per_tile, bound = worst(clocks)
    # one block alone does one thing after the other where its warps wait for each other: two overlap
    if resident == 1:
        per_tile, bound = clocks["issue"] + worst({k: v for k, v in clocks.items() if k != "issue"})[0], "issue and the rest in turn"
    blocks = math.ceil(ROWS / block_rows)
    waves = math.ceil(blocks / SMS)  # blocks that the fullest multiprocessor works through
    time = waves * tiles * STEPS * per_tile / CLOCK
    fraction = useful * STEPS * ROWS / time / BF16
    row(f"mlp4x256 in one launch, 50 levels × 65,536 rows, {rows_a_warp} rows a warp", time, bound,
        f"{fraction:.0%} of bf16 peak; {shared >> 10} KB shared, blocks at once: {resident}",
        f"35 %: {'missed' if fraction < 0.35 else 'within reach, where two warps a scheduler hide their waits'}")

weights = tiles * TILE
clocks = loop(16)[0]
del clocks["L2"]  # shared by all blocks, and this is one
clocks["latency"] = L2_LATENCY / (STAGES[16] - 1)
per_tile, bound = worst(clocks)
one_sm = weights / 64 * STEPS / CLOCK  # 64 bytes a clock into one multiprocessor
row("one row, 50 steps, one launch, one block", tiles * STEPS * per_tile / CLOCK, bound,
    f"{weights >> 10} KB of weights a step; at the limit of one multiprocessor {one_sm * 1e6:.0f} µs",
    "100 µs: missed")

# ---- few rows: the weights in the shared memory of a cluster of eight blocks, mlp_cluster.cuh ------------------------------
CLUSTER, CLUSTER_ROWS, WAVE = 8, 8, 16  # blocks, rows; clusters at once: two a graphics processing cluster of 16 or 18


def turn(columns, count):
    """Clocks of one layer of so many input columns, for `count` rows: nothing overlaps but what is said to."""
    steps = columns // 16  # mma.sync a warp, each warp on a quarter of the multiprocessor of its own
    per_mma = 16 * 8 * 16 * 2 * 4 / (MMA / SMS / CLOCK)
    loads = WARPS * columns // 32 * math.ceil(count / 2)  # clocks of shared memory: two rows of 64 bytes each
    product = max(steps * per_mma, math.ceil(steps / 4) * MMA_LATENCY, loads) + MMA_LATENCY
    return {"words of other blocks": SENT + 20,          # sent, and the wait that sees them
            "activations from shared memory": SHARED_LATENCY,
            "products": product + 12,                   # the four sums' sum
            "SiLU, rounding, sending": 80 + 20}


clocks = {}
for columns in [whole(D) * 64] + LAYERS * [WIDTH]:
    for name, k in turn(columns, CLUSTER_ROWS).items():
        clocks[name] = clocks.get(name, 0) + k * STEPS
kept = 8192 * tiles // CLUSTER  # bytes in each block; they come once, at 64 bytes a clock
parts = {name: k / CLOCK for name, k in clocks.items()}
parts["launch and weights"] = CLUSTER_LAUNCH + (kept / 64 + 2 * L2_LATENCY) / CLOCK
time = sum(parts.values())
row(f"one to {CLUSTER_ROWS} rows, 50 steps, one launch, a cluster of {CLUSTER} blocks", time, worst(parts)[1],
    f"{kept >> 10} KB of weights kept in each block; " +
    ", ".join(f"{name} {seconds * 1e6:.0f} µs" for name, seconds in parts.items()),
    f"100 µs: {'missed' if time > 100e-6 else 'within reach'}")
NETWORK = 12  # launches of one call, tests/cuda/training_test.cpp
row("one row, 50 steps, launches as a graph", STEPS * (NETWORK + 1) * NODE, "launches",
    f"{NETWORK + 1} kernels a step; one by one {STEPS * (NETWORK + 1) * LAUNCH * 1e3:.1f} ms", "100 µs: missed")

# ---- attention in float: 16 pictures, 4 heads of 64, 1024 positions ------------------------------------------------------
pictures, heads, positions, width = 16, 4, 1024, 64
macs = 2 * pictures * heads * positions * positions * width
parts = {"float pipes": 2 * macs / FP32,
         "shared memory": 1.75 * macs * 4 / SHARED}  # 2 wavefronts a score's step, 1.5 a sum's
time, bound = worst(parts)
row("attention, 16 × 4 heads × 1024 × 64", time, bound, f"{2 * macs / time / 1e12:.0f} TFLOP/s, {2 * macs / time / FP32:.0%} of float peak",
    "of bf16 peak 1 %: pictures of 32 × 32 and more want cuDNN's")

# ---- a training step of the same network ---------------------------------------------------------------------------------
STEP = 79  # launches of its graph, tests/cuda/training_test.cpp
for batch in (256, 4096, 65536):
    parameters = D * WIDTH * 2 + LAYERS * WIDTH * WIDTH * 2 + 64 * WIDTH + WIDTH * WIDTH
    activations = 4 * batch * WIDTH * (LAYERS + 1) * 9  # bytes: 4 passes forward, 5 backward over each layer
    parts = {"launches": LAUNCH + STEP * NODE, "float products": 3 * 2 * (D * WIDTH * 2 + LAYERS * WIDTH * WIDTH) * batch / (0.75 * FP32),
             "memory": activations / (COPY if activations > 50e6 else L2) + 4 * parameters * 9 / COPY}
    time, bound = worst(parts)
    row(f"training step as a graph, {batch} rows", time, bound,
        ", ".join(f"{name} {seconds * 1e6:.0f} µs" for name, seconds in parts.items()),
        f"{batch / time / 1e6:.1f} M rows/s; launch by launch {batch / max(time, STEP * LAUNCH) / 1e6:.1f}")

print("| model, H100 | takes at least | bound by | figure (model) | target |")
print("|---|---|---|---|---|")
for cells in rows:
    print("| " + " | ".join(cells) + " |")
