#!/usr/bin/python3
"""Writes the folders beside this file: components with tiny random weights, and what PyTorch makes of them.

Written from the papers and the classes' documentation, apart from the Java code, in plain operators in float64.
Needs torch and numpy (Debian: python3-torch). The folders are committed; run it again only to change them.
"""
import json
import os
import struct

import numpy
import torch
import torch.nn.functional as F

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {numpy.dtype("float32"): "F32", numpy.dtype("float16"): "F16", numpy.dtype("int64"): "I64"}


def write(path, tensors, bf16=False):
    header, blobs, end = {}, [], 0
    for name, tensor in tensors.items():
        array = numpy.ascontiguousarray(tensor.numpy())
        kind = NAMES[array.dtype]
        data = array.tobytes()
        if bf16 and kind == "F32":
            kind, data = "BF16", (array.view(numpy.uint32) >> 16).astype(numpy.uint16).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [end, end + len(data)]}
        end += len(data)
        blobs.append(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def folder(name, config, weights, inputs, expected, file, half=None):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "config.json"), "w") as out:
        json.dump(config, out, indent=2)
        out.write("\n")
    stored = {k: v if v.dtype == torch.int64 else v.to(torch.float16 if half == "F16" else torch.float32)
              for k, v in weights.items()}
    write(os.path.join(path, file), stored, bf16=half == "BF16")
    floats = lambda them: {k: v if v.dtype == torch.int64 else v.float() for k, v in them.items()}
    write(os.path.join(path, "inputs.safetensors"), floats(inputs))
    write(os.path.join(path, "expected.safetensors"), floats(expected))


def rounded(tensor, half):
    """What is left of float32 numbers when they are stored so."""
    if half == "F16":
        return tensor.half().double()
    if half == "BF16":
        bits = tensor.float().numpy().view(numpy.uint32) & 0xFFFF0000
        return torch.from_numpy(bits.view(numpy.float32).copy()).double()
    return tensor.float().double()


class Weights:
    """Makes a weight when it is first asked for, and remembers it."""

    def __init__(self, half=None):
        self.all, self.half = {}, half

    def __call__(self, name, *shape, around=0.0, by=None):
        if name not in self.all:
            by = by or (0.3 if len(shape) < 2 else 1.2 / numpy.sqrt(numpy.prod(shape[1:])))
            self.all[name] = rounded(around + by * torch.randn(*shape), self.half)
        return self.all[name]

    def linear(self, name, x, outputs, bias=True):
        y = x @ self(name + ".weight", outputs, x.shape[-1]).transpose(0, 1)
        return y + self(name + ".bias", outputs) if bias else y

    def conv(self, name, x, outputs, kernel, stride=1, padding=0):
        return F.conv2d(x, self(name + ".weight", outputs, x.shape[1], kernel, kernel), self(name + ".bias", outputs),
                        stride, padding)

    def norm(self, name, x, epsilon):
        size = x.shape[-1]
        return F.layer_norm(x, (size,), self(name + ".weight", size, around=1), self(name + ".bias", size), epsilon)

    def group_norm(self, name, x, groups, epsilon=1e-6):
        size = x.shape[1]
        return F.group_norm(x, groups, self(name + ".weight", size, around=1), self(name + ".bias", size), epsilon)


def clip(prefix, half, activation, end, ids, width, heads, layers, inner, projection, vocabulary, positions, epsilon):
    w = Weights(half)
    rows, tokens = ids.shape
    x = w(prefix + "embeddings.token_embedding.weight", vocabulary, width, by=0.5)[ids] \
        + w(prefix + "embeddings.position_embedding.weight", positions, width, by=0.5)[:tokens]
    states = [x]
    for i in range(layers):
        at = prefix + "encoder.layers.%d." % i
        y = w.norm(at + "layer_norm1", x, epsilon)
        split = lambda name: w.linear(at + "self_attn." + name, y, width) \
            .view(rows, tokens, heads, width // heads).transpose(1, 2)
        scores = split("q_proj") @ split("k_proj").transpose(2, 3) / (width // heads) ** 0.5
        scores = scores.masked_fill(torch.ones(tokens, tokens).triu(1).bool(), float("-inf"))
        mixed = (scores.softmax(-1) @ split("v_proj")).transpose(1, 2).reshape(rows, tokens, width)
        x = x + w.linear(at + "self_attn.out_proj", mixed, width)
        y = w.linear(at + "mlp.fc1", w.norm(at + "layer_norm2", x, epsilon), inner)
        x = x + w.linear(at + "mlp.fc2", activation(y), width)
        states.append(x)
    last = w.norm(prefix + "final_layer_norm", x, epsilon)
    # An end of 2 is what old configurations say by mistake; it means the largest id.
    place = [row.index(max(row)) if end == 2 else row.index(end) if end in row else 0 for row in ids.tolist()]
    pooled = torch.stack([last[row, at] for row, at in enumerate(place)])
    expected = {"last_hidden_state": last, "penultimate_hidden_state": states[-2], "pooler_output": pooled,
                "hidden_states.0": states[0]}
    if projection:
        expected["text_embeds"] = w.linear("text_projection", pooled, projection, bias=False)
    return w, expected


def text_encoders():
    ids = torch.randint(3, 40, (3, 9))
    ids[0, 5], ids[0, 7], ids[1, 8] = 41, 41, 41  # twice, at the very end, and nowhere
    ids[2, 3] = 47  # larger than the end of text, so the largest id is not it
    w, expected = clip("text_model.", "F16", F.gelu, 41, ids, 12, 3, 2, 20, 8, 48, 16, 1e-3)
    w.all["text_model.embeddings.position_ids"] = torch.arange(16)[None]
    folder("clip_projection", {
        "architectures": ["CLIPTextModelWithProjection"], "model_type": "clip_text_model", "vocab_size": 48,
        "hidden_size": 12, "intermediate_size": 20, "projection_dim": 8, "num_hidden_layers": 2,
        "num_attention_heads": 3, "max_position_embeddings": 16, "hidden_act": "gelu", "layer_norm_eps": 1e-3,
        "eos_token_id": 41, "dropout": 0.0, "attention_dropout": 0.0, "torch_dtype": "float16",
    }, w.all, {"input_ids": ids}, expected, "model.fp16.safetensors", "F16")

    tanh = lambda x: x / 2 * (1 + torch.tanh((2 / numpy.pi) ** 0.5 * (x + 0.044715 * x ** 3)))
    w, expected = clip("", "BF16", tanh, 2, ids, 8, 8, 1, 12, 0, 48, 9, 1e-5)
    folder("clip_bare", {
        "vocab_size": 48, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
        "max_position_embeddings": 9, "hidden_act": "gelu_new", "eos_token_id": 2, "model_type": "clip_text_model",
    }, w.all, {"input_ids": ids}, expected, "model.safetensors", "BF16")


class Autoencoder:
    def __init__(self, half, widths, groups, layers, activation, names, attend, attention_in_middle, conv_shaped):
        self.w, self.widths, self.groups, self.layers = Weights(half), widths, groups, layers
        self.activation, self.names, self.attend = activation, names, attend
        self.attention_in_middle, self.conv_shaped = attention_in_middle, conv_shaped

    def resnet(self, at, x, outputs):
        y = x
        for i in "12":
            y = self.activation(self.w.group_norm(at + ".norm" + i, y, self.groups))
            y = self.w.conv(at + ".conv" + i, y, outputs, 3, 1, 1)
        return y + (x if x.shape[1] == outputs else self.w.conv(at + ".conv_shortcut", x, outputs, 1))

    def attention(self, at, x):
        rows, channels, height, width = x.shape
        y = self.w.group_norm(at + ".group_norm", x, self.groups).reshape(rows, channels, -1)
        shape = (channels, channels, 1, 1) if self.conv_shaped else (channels, channels)
        project = lambda name, z: self.w(at + name + ".weight", *shape).reshape(channels, channels) @ z \
            + self.w(at + name + ".bias", channels)[:, None]
        q, k, v = (project("." + name, y) for name in self.names[:3])
        scores = (q.transpose(1, 2) @ k / channels ** 0.5).softmax(-1)
        mixed = v @ scores.transpose(1, 2)
        return x + project("." + self.names[3], mixed).reshape(x.shape)

    def block(self, at, x, outputs, layers):
        for i in range(layers):
            x = self.resnet(at + ".resnets.%d" % i, x, outputs)
            if self.attend:
                x = self.attention(at + ".attentions.%d" % i, x)
        return x

    def middle(self, at, x):
        x = self.resnet(at + ".resnets.0", x, x.shape[1])
        if self.attention_in_middle:
            x = self.attention(at + ".attentions.0", x)
        return self.resnet(at + ".resnets.1", x, x.shape[1])

    def encode(self, x, parameters, quant):
        x = self.w.conv("encoder.conv_in", x, self.widths[0], 3, 1, 1)
        for i, width in enumerate(self.widths):
            at = "encoder.down_blocks.%d" % i
            x = self.block(at, x, width, self.layers)
            if i + 1 < len(self.widths):
                x = self.w.conv(at + ".downsamplers.0.conv", F.pad(x, (0, 1, 0, 1)), width, 3, 2)
        x = self.middle("encoder.mid_block", x)
        x = F.silu(self.w.group_norm("encoder.conv_norm_out", x, self.groups))
        x = self.w.conv("encoder.conv_out", x, parameters, 3, 1, 1)
        if quant:
            self.w("quant_conv.bias", parameters, by=25)  # so that some variances go beyond diffusers' limits
        return self.w.conv("quant_conv", x, parameters, 1) if quant else x

    def decode(self, x, channels, quant):
        x = self.w.conv("post_quant_conv", x, x.shape[1], 1) if quant else x
        x = self.middle("decoder.mid_block", self.w.conv("decoder.conv_in", x, self.widths[-1], 3, 1, 1))
        for i, width in enumerate(reversed(self.widths)):
            at = "decoder.up_blocks.%d" % i
            x = self.block(at, x, width, self.layers + 1)
            if i + 1 < len(self.widths):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
                x = self.w.conv(at + ".upsamplers.0.conv", x, width, 3, 1, 1)
        x = F.silu(self.w.group_norm("decoder.conv_norm_out", x, self.groups))
        return self.w.conv("decoder.conv_out", x, channels, 3, 1, 1)


def autoencoders():
    old = Autoencoder(None, (4, 6), 2, 1, F.relu, ("query", "key", "value", "proj_attn"), True, True, True)
    both("vae_old", old, {"act_fn": "relu", "down_block_types": ["AttnDownEncoderBlock2D"] * 2,
                          "up_block_types": ["AttnUpDecoderBlock2D"] * 2, "norm_num_groups": 2,
                          "block_out_channels": [4, 6], "in_channels": 1, "out_channels": 2}, 4, 1, 2, True)
    names = "to_q", "to_k", "to_v", "to_out.0"
    new = Autoencoder("F16", (2, 4, 6), 2, 1, F.silu, names, False, True, False)
    both("vae_plain", new, {"down_block_types": ["DownEncoderBlock2D"] * 3, "norm_num_groups": 2,
                            "up_block_types": ["UpDecoderBlock2D"] * 3, "block_out_channels": [2, 4, 6],
                            "latent_channels": 6, "use_quant_conv": False, "use_post_quant_conv": False,
                            "force_upcast": False, "shift_factor": 0.1, "scaling_factor": 1.5}, 6, 3, 3, False)
    single = Autoencoder("F16", (4,), 4, 2, F.silu, None, False, False, False)
    both("vae_single", single, {"block_out_channels": [4], "norm_num_groups": 4, "layers_per_block": 2,
                              "mid_block_add_attention": False}, 4, 3, 3, True)


def both(name, model, config, latents, channels, decoded_channels, quant):
    latent_sample, sample = torch.randn(2, latents, 3, 5), torch.randn(2, channels, 8, 12)
    latent_sample, sample = latent_sample.float().double(), sample.float().double()
    mean, logvar = model.encode(sample, 2 * latents, quant).chunk(2, 1)
    assert not quant or (logvar < -30).any() or (logvar > 20).any()
    expected = {"decoded": model.decode(latent_sample, decoded_channels, quant), "encoded_mean": mean,
                "encoded_logvar": logvar.clamp(-30, 20)}
    folder(name, {"_class_name": "AutoencoderKL", **config}, model.w.all,
           {"latent_sample": latent_sample, "sample": sample}, expected, "diffusion_pytorch_model.safetensors",
           model.w.half)


text_encoders()
autoencoders()
