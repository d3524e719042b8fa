"""Writes the cases of UNetCasesTest: what UNet2DConditionModel gives in PyTorch for options that few models have.

Weights and inputs are made by a formula from their names, so that cases hold only configuration and result.
Written from the published architecture; needs torch only:  python3 unet_cases.py  writes CASE.json beside itself.
"""
import json
import math
import os
import zlib

import numpy as np
import torch
import torch.nn.functional as F


def numbers(name, shape):
    """Even in (-0.5, 0.5), from a hash of name and index."""
    count = int(np.prod(shape, dtype=np.int64))
    x = (np.arange(count, dtype=np.uint64) * 0x9E3779B9 + zlib.crc32(name.encode())) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x85EBCA6B) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 0xC2B2AE35) & 0xFFFFFFFF
    x ^= x >> 16
    return (x.astype(np.float64) / 2.0 ** 32 - 0.5).reshape(shape)


def weight(name, *shape):
    u = numbers(name, shape)
    if len(shape) == 1:
        values = 0.2 * u if name.endswith("bias") else 1 + 0.4 * u
    else:
        values = u * math.sqrt(12.0 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def given(name, shape):
    return torch.from_numpy((numbers("input." + name, shape) * 3).astype(np.float32))


def act(name):
    return {"silu": F.silu, "gelu": F.gelu, "relu": F.relu, "mish": F.mish}[name]


def linear(name, x, out, bias=True):
    return F.linear(x, weight(name + ".weight", out, x.shape[-1]), weight(name + ".bias", out) if bias else None)


def conv(name, x, out, kernel, stride=1, padding=None):
    padding = (kernel - 1) // 2 if padding is None else padding
    return F.conv2d(x, weight(name + ".weight", out, x.shape[1], kernel, kernel), weight(name + ".bias", out), stride,
                    padding)


def group_norm(name, x, groups, eps):
    return F.group_norm(x, groups, weight(name + ".weight", x.shape[1]), weight(name + ".bias", x.shape[1]), eps)


def layer_norm(name, x):
    c = x.shape[-1]
    return F.layer_norm(x, (c,), weight(name + ".weight", c), weight(name + ".bias", c), 1e-5)


def sinusoids(x, dim, flip, shift):
    half = dim // 2
    exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / (half - shift)
    angles = x[:, None].float() * torch.exp(exponent)[None]
    sin, cos = torch.sin(angles), torch.cos(angles)
    return F.pad(torch.cat([cos, sin] if flip else [sin, cos], -1), (0, dim % 2))


def attention(name, x, source, heads):
    c = x.shape[-1]

    def split(y):
        return y.reshape(y.shape[0], y.shape[1], heads, c // heads).transpose(1, 2)

    q = split(linear(name + ".to_q", x, c, False))
    k = split(linear(name + ".to_k", source, c, False))
    v = split(linear(name + ".to_v", source, c, False))
    p = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(c // heads), -1)
    mixed = torch.matmul(p, v).transpose(1, 2).reshape(x.shape)
    return linear(name + ".to_out.0", mixed, c)


def transformer_block(name, x, text, heads, only_cross):
    h = layer_norm(name + ".norm1", x)
    x = x + attention(name + ".attn1", h, text if only_cross else h, heads)
    x = x + attention(name + ".attn2", layer_norm(name + ".norm2", x), text, heads)
    c = x.shape[-1]
    h, gate = linear(name + ".ff.net.0.proj", layer_norm(name + ".norm3", x), 8 * c).chunk(2, -1)
    return x + linear(name + ".ff.net.2", h * F.gelu(gate), c)


class UNet:
    def __init__(self, config):
        self.c = config
        self.channels = config["block_out_channels"]
        self.n = len(self.channels)
        self.groups = config["norm_num_groups"]
        self.eps = config.get("norm_eps", 1e-5)
        self.act = act(config.get("act_fn", "silu"))

    def each(self, key, default):
        value = self.c.get(key, default)
        return value if isinstance(value, list) else [value] * self.n

    def mlp(self, name, x, out, f):
        return linear(name + ".linear_2", f(linear(name + ".linear_1", x, out)), out)

    def embed(self, x):
        c = self.c
        width = self.channels[0]
        out = c.get("time_embedding_dim") or 4 * width
        flip, shift = c.get("flip_sin_to_cos", True), c.get("freq_shift", 0)
        t = sinusoids(x["timestep"].expand(x["sample"].shape[0]), width, flip, shift)
        if "timestep_cond" in x:
            t = t + linear("time_embedding.cond_proj", x["timestep_cond"], width, False)
        emb = self.mlp("time_embedding", t, out, self.act)
        if c.get("timestep_post_act"):
            emb = act(c["timestep_post_act"])(emb)
        kind = c.get("class_embed_type")
        if kind is None and c.get("num_class_embeds"):
            emb = emb + weight("class_embedding.weight", c["num_class_embeds"], out)[x["class_labels"]]
        elif kind == "timestep":
            emb = emb + self.mlp("class_embedding", sinusoids(x["class_labels"], width, flip, shift), out, self.act)
        elif kind == "identity":
            emb = emb + x["class_labels"]
        elif kind == "projection":
            emb = emb + self.mlp("class_embedding", x["class_labels"], out, F.silu)
        elif kind == "simple_projection":
            emb = emb + linear("class_embedding", x["class_labels"], out)
        if c.get("addition_embed_type") == "text_time":
            ids = sinusoids(x["time_ids"].flatten(), c["addition_time_embed_dim"], flip, shift)
            both = torch.cat([x["text_embeds"], ids.reshape(x["sample"].shape[0], -1)], -1)
            emb = emb + self.mlp("add_embedding", both, out, F.silu)
        if c.get("time_embedding_act_fn"):
            emb = act(c["time_embedding_act_fn"])(emb)
        return emb

    def resnet(self, name, x, emb, out, scale=1.0):
        h = conv(name + ".conv1", self.act(group_norm(name + ".norm1", x, self.groups, self.eps)), out, 3)
        if self.c.get("resnet_time_scale_shift", "default") == "scale_shift":
            t = linear(name + ".time_emb_proj", self.act(emb), 2 * out)[:, :, None, None]
            s, shift = t.chunk(2, 1)
            h = group_norm(name + ".norm2", h, self.groups, self.eps) * (1 + s) + shift
        else:
            h = h + linear(name + ".time_emb_proj", self.act(emb), out)[:, :, None, None]
            h = group_norm(name + ".norm2", h, self.groups, self.eps)
        h = conv(name + ".conv2", self.act(h), out, 3)
        return ((x if x.shape[1] == out else conv(name + ".conv_shortcut", x, out, 1)) + h) / scale

    def transformer(self, name, x, text, heads, depth, only_cross):
        b, c, height, width = x.shape
        inner = c // heads * heads
        h = group_norm(name + ".norm", x, self.groups, 1e-6)
        if self.c.get("use_linear_projection"):
            h = linear(name + ".proj_in", h.permute(0, 2, 3, 1).reshape(b, -1, c), inner)
        else:
            h = conv(name + ".proj_in", h, inner, 1).permute(0, 2, 3, 1).reshape(b, -1, inner)
        for i in range(depth):
            h = transformer_block(f"{name}.transformer_blocks.{i}", h, text, heads, only_cross)
        if self.c.get("use_linear_projection"):
            return linear(name + ".proj_out", h, c).reshape(b, height, width, c).permute(0, 3, 1, 2) + x
        return conv(name + ".proj_out", h.reshape(b, height, width, inner).permute(0, 3, 1, 2), c, 1) + x

    def __call__(self, x):
        c = self.c
        emb, text, h = self.embed(x), x.get("encoder_hidden_states"), x["sample"]
        if c.get("center_input_sample"):
            h = 2 * h - 1.0
        layers, heads = self.each("layers_per_block", 2), self.each("attention_head_dim", 8)
        depths, only_cross = self.each("transformer_layers_per_block", 1), self.each("only_cross_attention", False)
        up_depths = c.get("reverse_transformer_layers_per_block") or depths[::-1]

        def depth(value, i):
            return value[i] if isinstance(value, list) else value

        h = conv("conv_in", h, self.channels[0], c.get("conv_in_kernel", 3))
        skips = [h]
        for b in range(self.n):
            for i in range(layers[b]):
                h = self.resnet(f"down_blocks.{b}.resnets.{i}", h, emb, self.channels[b])
                if c["down_block_types"][b].startswith("CrossAttn"):
                    h = self.transformer(f"down_blocks.{b}.attentions.{i}", h, text, heads[b], depth(depths[b], i),
                                         only_cross[b])
                skips.append(h)
            if b < self.n - 1:
                name = f"down_blocks.{b}.downsamplers.0.conv"
                if c.get("downsample_padding", 1) == 0:
                    h = conv(name, F.pad(h, (0, 1, 0, 1)), self.channels[b], 3, 2, 0)
                else:
                    h = conv(name, h, self.channels[b], 3, 2, 1)
                skips.append(h)
        mid = c.get("mid_block_type", "UNetMidBlock2DCrossAttn")
        if mid is not None:
            scale = c.get("mid_block_scale_factor", 1)
            h = self.resnet("mid_block.resnets.0", h, emb, self.channels[-1], scale)
            if mid == "UNetMidBlock2DCrossAttn":
                h = self.transformer("mid_block.attentions.0", h, text, heads[-1], depth(depths[-1], 0), False)
                h = self.resnet("mid_block.resnets.1", h, emb, self.channels[-1], scale)
        for b in range(self.n):
            m = self.n - 1 - b
            for i in range(layers[m] + 1):
                h = self.resnet(f"up_blocks.{b}.resnets.{i}", torch.cat([h, skips.pop()], 1), emb, self.channels[m])
                if c["up_block_types"][b].startswith("CrossAttn"):
                    h = self.transformer(f"up_blocks.{b}.attentions.{i}", h, text, heads[m], depth(up_depths[b], i),
                                         only_cross[m])
            if b < self.n - 1:
                h = conv(f"up_blocks.{b}.upsamplers.0.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"),
                         self.channels[m], 3)
        h = self.act(group_norm("conv_norm_out", h, self.groups, self.eps))
        return conv("conv_out", h, c.get("out_channels", 4), c.get("conv_out_kernel", 3))


def case(name, config, inputs):
    tensors = {}
    for key, shape in inputs.items():
        if key == "timestep" or key == "class_labels" and config.get("num_class_embeds"):
            tensors[key] = torch.tensor([321, 12][:shape[0]] if key == "timestep" else [3, 7])
        else:
            tensors[key] = given(key, shape)
    with torch.no_grad():
        result = UNet(config)(tensors)
    assert torch.isfinite(result).all()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json")
    with open(path, "w") as out:
        json.dump({"config": config, "inputs": inputs, "expected": [float("%.7g" % v) for v in result.flatten()]}, out)
        out.write("\n")
    print(name, list(result.shape), float(result.std()))


DOWN, CROSS_DOWN, UP, CROSS_UP = "DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
TEXT = [2, 5, 12]

case("upscaler", {
    "in_channels": 7, "out_channels": 4, "block_out_channels": [8, 16, 16], "layers_per_block": 1,
    "down_block_types": [DOWN, CROSS_DOWN, CROSS_DOWN], "up_block_types": [CROSS_UP, CROSS_UP, UP],
    "only_cross_attention": [True, True, False], "num_class_embeds": 10, "use_linear_projection": True,
    "attention_head_dim": 2, "cross_attention_dim": 12, "norm_num_groups": 4, "upcast_attention": True},
    {"sample": [2, 7, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT, "class_labels": [2]})
case("inpainting", {
    "in_channels": 9, "block_out_channels": [8, 16], "layers_per_block": [2, 1],
    "down_block_types": [CROSS_DOWN, DOWN], "up_block_types": [UP, CROSS_UP], "flip_sin_to_cos": False,
    "freq_shift": 1, "center_input_sample": True, "downsample_padding": 0, "conv_in_kernel": 1, "conv_out_kernel": 5,
    "attention_head_dim": [2, 4], "norm_eps": 1e-6, "act_fn": "gelu", "time_embedding_dim": 24,
    "transformer_layers_per_block": [[1, 2], 1], "reverse_transformer_layers_per_block": [1, [2, 1, 1]],
    "cross_attention_dim": 12, "norm_num_groups": 4},
    {"sample": [2, 9, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT})
case("scale_shift", {
    "block_out_channels": [8, 8], "layers_per_block": 1, "down_block_types": [CROSS_DOWN, CROSS_DOWN],
    "up_block_types": [CROSS_UP, CROSS_UP], "only_cross_attention": True, "resnet_time_scale_shift": "scale_shift",
    "mid_block_scale_factor": 1.4142135, "act_fn": "mish", "class_embed_type": "projection",
    "projection_class_embeddings_input_dim": 6, "time_cond_proj_dim": 5, "timestep_post_act": "silu",
    "time_embedding_act_fn": "gelu", "attention_head_dim": 2, "cross_attention_dim": 12, "norm_num_groups": 2},
    {"sample": [2, 4, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT, "class_labels": [2, 6],
     "timestep_cond": [2, 5]})
case("plain", {
    "block_out_channels": [8, 16], "layers_per_block": 1, "down_block_types": [DOWN, DOWN],
    "up_block_types": [UP, UP], "mid_block_type": None, "class_embed_type": "timestep", "act_fn": "relu",
    "norm_num_groups": 4},
    {"sample": [2, 4, 8, 8], "timestep": [1], "class_labels": [2]})
case("simple_mid", {
    "block_out_channels": [8, 16], "layers_per_block": 1, "down_block_types": [CROSS_DOWN, DOWN],
    "up_block_types": [UP, CROSS_UP], "mid_block_type": "UNetMidBlock2D", "class_embed_type": "simple_projection",
    "projection_class_embeddings_input_dim": 6, "attention_head_dim": 4, "cross_attention_dim": 12,
    "norm_num_groups": 4},
    {"sample": [2, 4, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT, "class_labels": [2, 6]})
case("refiner", {
    "block_out_channels": [8, 16, 16], "layers_per_block": 1, "down_block_types": [DOWN, CROSS_DOWN, DOWN],
    "up_block_types": [UP, CROSS_UP, UP], "class_embed_type": "identity", "addition_embed_type": "text_time",
    "act_fn": "gelu",
    "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 46, "transformer_layers_per_block": 2,
    "use_linear_projection": True, "attention_head_dim": [2, 4, 4], "cross_attention_dim": 12, "norm_num_groups": 4},
    {"sample": [2, 4, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT, "class_labels": [2, 32],
     "text_embeds": [2, 6], "time_ids": [2, 5]})
case("uneven_heads", {
    "block_out_channels": [8, 16], "layers_per_block": 1, "down_block_types": [CROSS_DOWN, CROSS_DOWN],
    "up_block_types": [CROSS_UP, CROSS_UP], "attention_head_dim": [3, 5], "transformer_layers_per_block": [0, 1],
    "cross_attention_dim": 12, "norm_num_groups": 4},
    {"sample": [2, 4, 8, 8], "timestep": [2], "encoder_hidden_states": TEXT})
case("odd_width", {
    "block_out_channels": [15], "layers_per_block": 1, "down_block_types": [CROSS_DOWN], "up_block_types": [CROSS_UP],
    "attention_head_dim": 4, "use_linear_projection": True, "cross_attention_dim": 12, "norm_num_groups": 3},
    {"sample": [2, 4, 8, 8], "timestep": [1], "encoder_hidden_states": TEXT})
