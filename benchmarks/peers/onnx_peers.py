# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of run_peers.py as written for ONNX Runtime; the graphs are built here, node by node."""

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

import mlp4x256 as net

FLOAT = TensorProto.FLOAT


class Graph:
    def __init__(self, model):
        self.nodes, self.constants = [], []
        self.weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}

    def constant(self, name, value):
        if name not in {c.name for c in self.constants}:
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind, *inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def weight(self, name):
        return self.constant(name, self.weights[name])

    def linear(self, x, layer, bias=None):
        return self.op("Gemm", x, self.weight(layer + ".weight"), bias or self.weight(layer + ".bias"), transB=1)

    def linear_rows(self, x, layer, bias):
        """For x of rank 3, which Gemm does not take; bias broadcasts."""
        name = self.constant(layer + ".transposed", self.weights[layer + ".weight"].T)
        return self.op("Add", self.op("MatMul", x, name), bias)

    def silu(self, x):  # ONNX Runtime fuses the pair
        return self.op("Mul", x, self.op("Sigmoid", x))

    def body(self, x, bias, linear):
        h = linear(x, "in", self.weight("in.bias"))
        for l in range(net.LAYERS):
            h = self.silu(linear(h, f"hidden.{l}", bias[l]))
        return linear(h, "out", self.weight("out.bias"))

    def step(self, x, bias, a, b):
        return self.op("Add", self.op("Mul", a, x), self.op("Mul", b, self.body(x, bias, self.linear)))

    def finish(self, output, inputs, output_shape, name="graph", more_outputs=()):
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        return helper.make_graph(self.nodes, name, [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs],
                                 [helper.make_tensor_value_info("y", FLOAT, output_shape)], self.constants)


def session(graph, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def ddim(model, x, threads):
    """Variants of 50 DDIM steps from x (n, 32), a numpy array."""
    t, levels = net.ddim_steps()
    ab = net.folded(levels).float().numpy()
    bias = model.biases(t).detach().numpy()
    shape = list(x.shape)

    g = Graph(model)
    v = g.linear(g.silu(g.linear("features", "time.0")), "time.2")
    each = []
    for l in range(net.LAYERS):
        each.append(g.op("Add", g.linear(v, f"project.{l}"), g.weight(f"hidden.{l}.bias")))
    plain = session(g.finish(g.body("x", each, g.linear), [("x", shape), ("features", [1, 64])], shape), threads)
    features = [row[None] for row in model.features[t].numpy()]

    def per_step():  # as one would: a session call for each step, the update in numpy
        y = x
        for row, (a, b) in zip(features, ab):
            y = a * y + b * plain.run(None, {"x": y, "features": row})[0]
        return y

    g = Graph(model)
    names = [f"bias{l}" for l in range(net.LAYERS)]
    inputs = [("x", shape), *((n, [net.WIDTH]) for n in names), ("a", [1]), ("b", [1])]
    fused = session(g.finish(g.step("x", names, "a", "b"), inputs, shape), threads)
    feeds = [{**dict(zip(names, bias[k])), "a": ab[k, :1], "b": ab[k, 1:]} for k in range(net.STEPS)]

    def per_step_table():  # time vectors computed beforehand, the update in the graph
        y = x
        for feed in feeds:
            feed["x"] = y
            y = fused.run(None, feed)[0]
        return y

    inner = Graph(model)
    body = inner.finish(inner.step("x_in", names, "a", "b"),
                        [("x_in", shape), *((n, [net.WIDTH]) for n in names), ("a", [1]), ("b", [1])], shape, "step")
    g = Graph(model)
    tables = [g.constant(f"table{l}", bias[:, l]) for l in range(net.LAYERS)]
    tables += [g.constant("all_a", ab[:, :1]), g.constant("all_b", ab[:, 1:])]
    g.nodes.append(helper.make_node("Scan", ["x", *tables], ["last"], body=body, num_scan_inputs=len(tables)))
    whole = session(g.finish("last", [("x", shape)], shape), threads)

    return {
        "onnxruntime": per_step,
        "onnxruntime fused, time table": per_step_table,
        "onnxruntime Scan, time table": lambda: whole.run(None, {"x": x})[0],
    }


def levels(model, x, noise, threads):
    """The score of each row of x (n, 32) at 50 levels with noise (50, 32), all in one session call."""
    t, lv = net.ddim_steps()
    bias = model.biases(t).detach().numpy()
    a, s = lv[:, :1].float().numpy(), lv[:, 1:2].float().numpy()
    rows = x.shape[0]
    g = Graph(model)
    z = g.constant("noise", noise)
    tables = [g.constant(f"table{l}", bias[:, l]) for l in range(net.LAYERS)]
    if rows == 1:
        noisy = g.op("Add", g.op("Mul", g.constant("a", a), "x"), g.constant("s_noise", s * noise))
        error, axes = g.op("Sub", g.body(noisy, tables, g.linear), z), [0, 1]
    else:
        apart = g.op("Reshape", "x", g.constant("apart", np.array([rows, 1, net.COLUMNS], np.int64)))
        noisy = g.op("Add", g.op("Mul", g.constant("a", a), apart), g.constant("s_noise", s * noise))
        error, axes = g.op("Sub", g.body(noisy, tables, g.linear_rows), z), [1, 2]
    mean = g.op("ReduceMean", g.op("Mul", error, error), axes=axes, keepdims=0)
    flat = g.op("Reshape", mean, g.constant("flat", np.array([rows], np.int64)))
    scored = session(g.finish(flat, [("x", list(x.shape))], [rows]), threads)
    return {"onnxruntime, time table": lambda: scored.run(None, {"x": x})[0]}
