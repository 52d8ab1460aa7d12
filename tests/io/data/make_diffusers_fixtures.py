# SPDX-License-Identifier: Apache-2.0
"""Writes diffusers_networks.json, diffusers_schedulers.json and the folders tiny_ddpm, tiny_half, tiny_learned beside itself.

pip install diffusers==0.42.1 torch==2.15.0 numpy safetensors; python make_diffusers_fixtures.py
"""
import importlib
import json
import math
import pathlib
import shutil

import diffusers
import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

assert diffusers.__version__ == "0.42.1"
HERE = pathlib.Path(__file__).parent
torch.set_grad_enabled(False)


def name_hash(name):
    """FNV-1a in 32 bits."""
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 % 2**32
    return h


def uniform(name, count):
    """Numbers in [-1, 1) that depend on the tensor's name and the element's number alone."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + name_hash(name)) % 2**32
    x ^= x >> np.uint64(16)
    x = x * 2146121005 % 2**32
    x ^= x >> np.uint64(15)
    x = x * 2221713035 % 2**32
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2**31 - 1


def closed_form(name, shape):
    u = uniform(name, int(np.prod(shape)))
    if len(shape) == 1:
        is_scale = name.endswith("norm.weight") or name.endswith("norm1.weight") or name.endswith("norm2.weight")
        is_scale = is_scale or name == "conv_norm_out.weight"
        values = 1 + 0.25 * u if is_scale else 2 * u if name == "time_proj.weight" else 0.25 * u
    elif name in ("time_proj.weight", "class_embedding.weight"):
        values = u
    else:
        values = u * math.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def numbers(tensor):
    return [float(f"{v:.7g}") for v in tensor.flatten().tolist()]


def network(config, times, height=8, width=8, labels=None):
    config = {"sample_size": [height, width], **config}
    model = UNet2DModel(**config).eval()
    model.load_state_dict({k: closed_form(k, v.shape) for k, v in model.state_dict().items()})
    channels = config.get("in_channels", 3)
    count = len(times) * channels * height * width
    x = torch.from_numpy(np.sin(1 + 0.7 * np.arange(count)).astype(np.float32))
    x = x.reshape(len(times), channels, height, width)
    if labels is not None:
        more = {"class_labels": torch.tensor(labels)}
    else:
        more = {}
    y = model(x, torch.tensor(times), **more).sample
    return {"config": config, "tensors": len(model.state_dict()),
            "parameters": sum(v.numel() for v in model.state_dict().values()),
            "height": height, "width": width, "times": times, "labels": labels, "output": numbers(y)}


def small(down, up, channels, **more):
    return {"down_block_types": down, "up_block_types": up, "block_out_channels": channels, "layers_per_block": 1,
            "norm_num_groups": 4, **more}


te = 20  # width of the identity class vector below
networks = {
    "ddpm": network(small(["DownBlock2D", "AttnDownBlock2D"], ["AttnUpBlock2D", "UpBlock2D"], [8, 16],
                          layers_per_block=2, attention_head_dim=None, flip_sin_to_cos=False, freq_shift=1,
                          downsample_padding=0, norm_eps=1e-6), [3, 871]),
    "defaults": network(small(["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
                              ["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"], [8, 16, 16]), [0, 999]),
    "resnet": network(small(["ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D"],
                            ["ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"], [8, 12],
                            resnet_time_scale_shift="scale_shift", add_attention=False), [17, 400]),
    "attention_resnet": network(small(["AttnDownBlock2D", "AttnDownBlock2D"], ["AttnUpBlock2D", "AttnUpBlock2D"],
                                      [8, 16], downsample_type="resnet", upsample_type="resnet",
                                      resnet_time_scale_shift="scale_shift", class_embed_type="timestep"),
                                [250, 1], labels=[7, 31]),
    "skip": network(small(["SkipDownBlock2D", "AttnSkipDownBlock2D"], ["AttnSkipUpBlock2D", "SkipUpBlock2D"], [32, 64],
                          time_embedding_type="fourier", attention_head_dim=None, norm_eps=1e-6,
                          mid_block_scale_factor=math.sqrt(2)), [0.75, 3.5]),
    "skip_three_levels": network(small(["SkipDownBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D"],
                                       ["AttnSkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"], [32, 32, 32],
                                       attention_head_dim=16), [5, 600], height=16),
    "skip_below_plain": network(small(["SkipDownBlock2D", "DownBlock2D"], ["UpBlock2D", "SkipUpBlock2D"], [8, 16]),
                                [5, 600]),
    "plain_below_skip": network(small(["DownBlock2D", "DownBlock2D", "DownBlock2D"],
                                      ["UpBlock2D", "SkipUpBlock2D", "SkipUpBlock2D"], [8, 16, 16]), [5, 600]),
    "learned_time_and_class": network(small(["DownBlock2D", "DownBlock2D"], ["UpBlock2D", "UpBlock2D"], [8, 16],
                                            time_embedding_type="learned", num_train_timesteps=50,
                                            num_class_embeds=5), [0, 49], labels=[4, 2]),
    "identity_class": network(small(["DownBlock2D", "AttnDownBlock2D"], ["AttnUpBlock2D", "UpBlock2D"], [8, 16],
                                    class_embed_type="identity", time_embedding_dim=te, in_channels=1, out_channels=2,
                                    center_input_sample=True), [10, 20],
                              labels=[numbers(torch.sin(torch.arange(te) + 2.0 * i)) for i in range(2)]),
    "odd_width_no_middle": network(small(["DownBlock2D", "DownBlock2D"], ["UpBlock2D", "UpBlock2D"], [7, 14],
                                         norm_num_groups=7, mid_block_type=None, layers_per_block=2), [33, 44]),
    "middle_options": network(small(["DownBlock2D", "AttnDownBlock2D"], ["AttnUpBlock2D", "UpBlock2D"], [8, 16],
                                    attention_head_dim=4, attn_norm_num_groups=2, mid_block_scale_factor=2.0,
                                    act_fn="relu", resnet_time_scale_shift="scale_shift"), [33, 44]),
    "old_names_not_square": network(small(["UNetResDownBlock2D", "UNetResAttnDownBlock2D"],
                                          ["UNetResAttnUpBlock2D", "UNetResUpBlock2D"], [8, 16], act_fn="swish"),
                                    [700, 2], width=12),
    "one_level": network(small(["AttnDownBlock2D"], ["AttnUpBlock2D"], [8]), [1, 2]),
}

# ---- schedulers: as in ../../samplers/data, a closed-form network in place of a trained one

drawn = 0


def noise(*_, **__):
    """The j-th noise drawn: sin(1 + k + 3 j) at element k."""
    global drawn
    z = torch.sin(1 + torch.arange(8, dtype=torch.float32) + 3 * drawn).reshape(1, 8, 1)
    drawn += 1
    return z


def run(class_name, steps, **given):
    global drawn
    drawn = 0
    scheduler = getattr(diffusers, class_name)(**given)
    module = importlib.import_module(type(scheduler).__module__)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = noise
    scheduler.set_timesteps(steps)
    x = torch.linspace(-1, 1, 8).reshape(1, 8, 1) * float(scheduler.init_noise_sigma)
    step_options = {"use_clipped_model_output": True} if class_name == "DDIMScheduler" else {}
    for t in scheduler.timesteps:
        i = scheduler.scale_model_input(x, t)
        output = 0.5 * i + 0.1 * torch.sin(3 * i) + 1e-4 * float(t)
        if given.get("variance_type") == "learned_range":
            output = torch.cat([output, torch.sin(2 * i)], dim=1)
        elif given.get("variance_type") == "learned":
            output = torch.cat([output, 0.01 + 0.005 * torch.sin(2 * i)], dim=1)
        x = scheduler.step(output, t, x, **step_options).prev_sample
    return {"config": {"_class_name": class_name, "_diffusers_version": diffusers.__version__, **given},
            "steps": steps, "times": numbers(scheduler.timesteps.double()), "last": numbers(x)}


plain = {"clip_sample": False}
schedulers = [
    run("DDPMScheduler", 10),
    run("DDPMScheduler", 10, variance_type="fixed_large", clip_sample_range=2.0, timestep_spacing="trailing"),
    run("DDPMScheduler", 7, beta_schedule="squaredcos_cap_v2", timestep_spacing="linspace", **plain),
    run("DDPMScheduler", 5, beta_schedule="sigmoid", num_train_timesteps=500, steps_offset=1, **plain),
    run("DDPMScheduler", 5, trained_betas=[0.01 + 0.001 * i for i in range(20)],
        num_train_timesteps=20, **plain),
    run("DDPMScheduler", 8, thresholding=True, sample_max_value=1.0, clip_sample=False),
    run("DDPMScheduler", 10, thresholding=True, sample_max_value=3.0, dynamic_thresholding_ratio=0.75),
    run("DDPMScheduler", 10, variance_type="learned_range"),
    run("DDPMScheduler", 10, variance_type="learned_range", timestep_spacing="trailing", **plain),
    run("DDPMScheduler", 10, variance_type="learned", timestep_spacing="trailing"),
    run("DDIMScheduler", 10),
    run("DDIMScheduler", 10, thresholding=True, sample_max_value=2.0, clip_sample=False),
    run("DDIMScheduler", 10, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1,
        set_alpha_to_one=False, **plain),
    run("DDIMScheduler", 10, timestep_spacing="linspace", **plain),
    run("DDIMScheduler", 10, timestep_spacing="trailing", rescale_betas_zero_snr=True, prediction_type="v_prediction",
        **plain),
    run("DDIMScheduler", 10, prediction_type="sample", **plain),
    run("DDIMScheduler", 7, timestep_spacing="trailing", **plain),
    run("DDIMScheduler", 10, set_alpha_to_one=False, timestep_spacing="trailing", **plain),
    run("EulerDiscreteScheduler", 10),
    run("EulerDiscreteScheduler", 7),
    run("EulerDiscreteScheduler", 10, timestep_spacing="trailing", final_sigmas_type="sigma_min"),
    run("EulerDiscreteScheduler", 10, timestep_spacing="leading", steps_offset=1, prediction_type="v_prediction"),
    run("EulerDiscreteScheduler", 10, use_karras_sigmas=True),
    run("EulerDiscreteScheduler", 6, use_exponential_sigmas=True, timestep_spacing="trailing"),
    run("DPMSolverMultistepScheduler", 10),
    run("DPMSolverMultistepScheduler", 20, solver_order=3, timestep_spacing="leading", steps_offset=1),
    run("DPMSolverMultistepScheduler", 10, use_karras_sigmas=True, prediction_type="v_prediction"),
    run("DPMSolverMultistepScheduler", 20, use_lu_lambdas=True, solver_type="heun", lower_order_final=False),
    run("DPMSolverMultistepScheduler", 10, final_sigmas_type="sigma_min", solver_order=1),
    run("DPMSolverMultistepScheduler", 10, algorithm_type="dpmsolver", final_sigmas_type="sigma_min"),
    run("DPMSolverMultistepScheduler", 10, algorithm_type="sde-dpmsolver++", solver_order=1),
    run("DPMSolverMultistepScheduler", 10, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1,
        prediction_type="v_prediction"),
    run("DPMSolverMultistepScheduler", 10, timestep_spacing="trailing", rescale_betas_zero_snr=True,
        prediction_type="v_prediction"),
    run("DPMSolverMultistepScheduler", 10, thresholding=True, sample_max_value=2.5, dynamic_thresholding_ratio=0.5),
    run("UniPCMultistepScheduler", 10),
    run("UniPCMultistepScheduler", 10, thresholding=True, sample_max_value=1.5, dynamic_thresholding_ratio=0.9),
    run("UniPCMultistepScheduler", 10, solver_order=3, timestep_spacing="trailing", prediction_type="sample"),
    run("UniPCMultistepScheduler", 10, solver_type="bh1", final_sigmas_type="sigma_min"),
    run("UniPCMultistepScheduler", 10, use_karras_sigmas=True, prediction_type="v_prediction"),
]


def listed(items):
    return "\n" + ",\n".join(items) + "\n"


def dump(value):
    return json.dumps(value, separators=(",", ":"))


(HERE / "diffusers_networks.json").write_text(
    "{" + listed(f"{dump(k)}: {dump(v)}" for k, v in networks.items()) + "}\n")
(HERE / "diffusers_schedulers.json").write_text("[" + listed(dump(v) for v in schedulers) + "]\n")

# ---- folders as save_pretrained leaves them

torch.manual_seed(0)
model = UNet2DModel(sample_size=8, in_channels=1, out_channels=1, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                    up_block_types=("AttnUpBlock2D", "UpBlock2D"), block_out_channels=(4, 8), layers_per_block=1,
                    norm_num_groups=2, attention_head_dim=4).eval()
for folder in ("tiny_ddpm", "tiny_half", "tiny_learned"):
    shutil.rmtree(HERE / folder, ignore_errors=True)
DDPMPipeline(unet=model, scheduler=DDIMScheduler(clip_sample=False)).save_pretrained(HERE / "tiny_ddpm")
x = torch.sin(1 + 0.7 * torch.arange(128, dtype=torch.float32)).reshape(2, 1, 8, 8)
expected = {"times": [3, 871], "output": numbers(model(x, torch.tensor([3, 871])).sample)}
scheduler = DDIMScheduler(clip_sample=False)
scheduler.set_timesteps(10)
state = x
for t in scheduler.timesteps:
    state = scheduler.step(model(state, t).sample, t, state).prev_sample
expected["after_ddim_10"] = numbers(state)
model.half().save_pretrained(HERE / "tiny_half", variant="fp16")
rounded = UNet2DModel.from_pretrained(HERE / "tiny_half", variant="fp16").float().eval()
expected["output_of_half"] = numbers(rounded(x, torch.tensor([3, 871])).sample)
torch.manual_seed(1)
model = UNet2DModel(sample_size=8, in_channels=1, out_channels=2, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                    up_block_types=("AttnUpBlock2D", "UpBlock2D"), block_out_channels=(4, 8), layers_per_block=1,
                    norm_num_groups=2, attention_head_dim=4).eval()
DDPMPipeline(unet=model, scheduler=DDPMScheduler(variance_type="learned_range")).save_pretrained(HERE / "tiny_learned")
expected["output_of_learned"] = numbers(model(x, torch.tensor([3, 871])).sample)
(HERE / "diffusers_tiny.json").write_text(dump(expected) + "\n")
