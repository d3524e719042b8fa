"""The model: Stable Diffusion's structure in small, with diffusers' module names.

The names matter twice: they are the keys of the checkpoint, and, after the export, the names of the ONNX nodes, by
which the graph is cut into components.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import data

LATENT_CHANNELS = 12  # 2x2 pixels of 3 colours folded into channels
LATENT_SIZE = data.IMAGE_SIZE // 2
TEXT_WIDTH = 64
BLOCK_CHANNELS = (64, 96, 128)
BLOCK_HEADS = (0, 4, 4)  # attention heads at each level; 0: no attention
TEXT_HEADS = 4
NORM_GROUPS = 8
FEED_FORWARD_FACTOR = 2
TRAIN_TIMESTEPS = 1000


def cosine_alphas() -> Tensor:
    """Cumulative alphas of the cosine schedule (diffusers: squaredcos_cap_v2), float64 [1000]."""
    bar = torch.cos((torch.arange(TRAIN_TIMESTEPS + 1, dtype=torch.float64) / TRAIN_TIMESTEPS + .008)
                    / 1.008 * math.pi / 2) ** 2
    betas = (1 - bar[1:] / bar[:-1]).clamp(max=.999)
    return torch.cumprod(1 - betas, 0)


def fold(pictures: Tensor) -> Tensor:
    """Pictures [B, 3, 32, 32] to latents [B, 12, 16, 16]; channel = colour * 4 + dy * 2 + dx."""
    return F.pixel_unshuffle(pictures, 2)


def timestep_embedding(timestep: Tensor, width: int) -> Tensor:
    half = width // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half)
    angles = timestep[:, None].float() * frequencies[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], -1)


class TimestepEmbedding(nn.Module):
    def __init__(self, in_width: int, out_width: int):
        super().__init__()
        self.linear_1 = nn.Linear(in_width, out_width)
        self.act = nn.SiLU()
        self.linear_2 = nn.Linear(out_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.act(self.linear_1(x)))


class ResnetBlock2D(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, time_width: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(NORM_GROUPS, in_channels, eps=1e-5)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_width, out_channels)
        self.norm2 = nn.GroupNorm(NORM_GROUPS, out_channels, eps=1e-5)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.nonlinearity = nn.SiLU()
        self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(self.nonlinearity(self.norm1(x)))
        h = h + self.time_emb_proj(self.nonlinearity(time))[:, :, None, None]
        h = self.conv2(self.nonlinearity(self.norm2(h)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + h


class Attention(nn.Module):
    """Self-attention, or cross-attention where a context is given."""

    def __init__(self, width: int, heads: int, context_width: int | None = None):
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width or width, width, bias=False)
        self.to_v = nn.Linear(context_width or width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width), nn.Dropout(0.0)])

    def _split_heads(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        return x.reshape(batch, tokens, self.heads, width // self.heads).transpose(1, 2)

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return ((query * self.scale) @ key.transpose(-1, -2)).softmax(-1) @ value

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        query, key, value = self.to_q(x), self.to_k(context), self.to_v(context)
        h = self.attend(self._split_heads(query), self._split_heads(key), self._split_heads(value))
        return self.to_out[0](h.transpose(1, 2).reshape(x.shape))


class GEGLU(nn.Module):
    def __init__(self, in_width: int, out_width: int):
        super().__init__()
        self.proj = nn.Linear(in_width, 2 * out_width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        inner = width * FEED_FORWARD_FACTOR
        self.net = nn.ModuleList([GEGLU(width, inner), nn.Dropout(0.0), nn.Linear(inner, width)])

    def forward(self, x: Tensor) -> Tensor:
        return self.net[2](self.net[0](x))


class BasicTransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int, context_width: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, heads, context_width)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer2DModel(nn.Module):
    def __init__(self, channels: int, heads: int, context_width: int):
        super().__init__()
        self.norm = nn.GroupNorm(NORM_GROUPS, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([BasicTransformerBlock(channels, heads, context_width)])
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        h = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            h = block(h, context)
        return self.proj_out(h.transpose(1, 2).reshape(batch, channels, height, width)) + x


class Downsample2D(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample2D(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def _attentions(count: int, channels: int, heads: int, context_width: int) -> nn.ModuleList | None:
    if not heads:
        return None
    return nn.ModuleList([Transformer2DModel(channels, heads, context_width) for _ in range(count)])


class DownBlock(nn.Module):
    """One level on the way down: one resnet, attention if the level has heads, and a downsampler unless it is last."""

    def __init__(self, in_channels: int, out_channels: int, time_width: int, context_width: int, heads: int,
                 last: bool):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock2D(in_channels, out_channels, time_width)])
        self.attentions = _attentions(1, out_channels, heads, context_width)
        self.downsamplers = None if last else nn.ModuleList([Downsample2D(out_channels)])

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = self.resnets[0](x, time)
        if self.attentions is not None:
            x = self.attentions[0](x, context)
        skips = [x]
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            skips.append(x)
        return x, skips


class MidBlock(nn.Module):
    def __init__(self, channels: int, time_width: int, context_width: int, heads: int):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock2D(channels, channels, time_width) for _ in range(2)])
        self.attentions = _attentions(1, channels, heads, context_width)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x, time), context), time)


class UpBlock(nn.Module):
    """One level on the way up: two resnets, each fed the latest skip too, and an upsampler unless it is last."""

    def __init__(self, in_channels: int, out_channels: int, skip_channels: tuple[int, int], time_width: int,
                 context_width: int, heads: int, last: bool):
        super().__init__()
        self.resnets = nn.ModuleList([
            ResnetBlock2D(in_channels + skip_channels[0], out_channels, time_width),
            ResnetBlock2D(out_channels + skip_channels[1], out_channels, time_width)])
        self.attentions = _attentions(2, out_channels, heads, context_width)
        self.upsamplers = None if last else nn.ModuleList([Upsample2D(out_channels)])

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, context: Tensor) -> Tensor:
        for index, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, skips.pop()], 1), time)
            if self.attentions is not None:
                x = self.attentions[index](x, context)
        return x if self.upsamplers is None else self.upsamplers[0](x)


class UNet2DConditionModel(nn.Module):
    """The denoiser: predicts v from a noisy latent, its timestep and the text."""

    def __init__(self):
        super().__init__()
        first, depth = BLOCK_CHANNELS[0], len(BLOCK_CHANNELS)
        time_width = 4 * first
        self.time_embedding = TimestepEmbedding(first, time_width)
        self.conv_in = nn.Conv2d(LATENT_CHANNELS, first, 3, padding=1)

        self.down_blocks = nn.ModuleList()
        channels = first
        for level, (out_channels, heads) in enumerate(zip(BLOCK_CHANNELS, BLOCK_HEADS)):
            self.down_blocks.append(
                DownBlock(channels, out_channels, time_width, TEXT_WIDTH, heads, last=level == depth - 1))
            channels = out_channels

        self.mid_block = MidBlock(channels, time_width, TEXT_WIDTH, BLOCK_HEADS[-1])

        self.up_blocks = nn.ModuleList()
        for level in reversed(range(depth)):
            # The skips of a level: its own output, and what came into it from the level above.
            skips = (BLOCK_CHANNELS[level], BLOCK_CHANNELS[max(level - 1, 0)])
            self.up_blocks.append(UpBlock(channels, BLOCK_CHANNELS[level], skips, time_width, TEXT_WIDTH,
                                          BLOCK_HEADS[level], last=level == 0))
            channels = BLOCK_CHANNELS[level]

        self.conv_norm_out = nn.GroupNorm(NORM_GROUPS, first, eps=1e-5)
        self.conv_act = nn.SiLU()
        self.conv_out = nn.Conv2d(first, LATENT_CHANNELS, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        time = self.time_embedding(timestep_embedding(timestep, BLOCK_CHANNELS[0]))
        x = self.conv_in(sample)
        skips = [x]
        for block in self.down_blocks:
            x, more = block(x, time, encoder_hidden_states)
            skips += more
        x = self.mid_block(x, time, encoder_hidden_states)
        for block in self.up_blocks:
            x = block(x, skips, time, encoder_hidden_states)
        return self.conv_out(self.conv_act(self.conv_norm_out(x)))


class TextEncoder(nn.Module):
    """A one-layer transformer over the prompt's tokens (all of them: padding is not masked)."""

    POSITIONS = 16

    def __init__(self):
        super().__init__()
        self.token_embedding = nn.Embedding(len(data.WORDS), TEXT_WIDTH)
        self.position_embedding = nn.Embedding(self.POSITIONS, TEXT_WIDTH)
        self.layers = nn.ModuleList([nn.ModuleDict({
            "layer_norm1": nn.LayerNorm(TEXT_WIDTH), "self_attn": Attention(TEXT_WIDTH, TEXT_HEADS),
            "layer_norm2": nn.LayerNorm(TEXT_WIDTH), "mlp": FeedForward(TEXT_WIDTH)})])
        self.final_layer_norm = nn.LayerNorm(TEXT_WIDTH)

    def forward(self, input_ids: Tensor) -> Tensor:
        x = self.token_embedding(input_ids) + self.position_embedding.weight[None, :input_ids.shape[1]]
        for layer in self.layers:
            x = x + layer["self_attn"](layer["layer_norm1"](x))
            x = x + layer["mlp"](layer["layer_norm2"](x))
        return self.final_layer_norm(x)


class VaeDecoder(nn.Module):
    """Unfolds latents into pictures: the place of a VAE's decoder, without its weights."""

    def forward(self, latent_sample: Tensor) -> Tensor:
        return F.pixel_shuffle(latent_sample, 2).clamp(-1, 1)


def new_model() -> nn.ModuleDict:
    """The two trained parts, untrained: "unet" and "te" (text encoder)."""
    return nn.ModuleDict({"unet": UNet2DConditionModel(), "te": TextEncoder()})


def load_model(checkpoint: str) -> nn.ModuleDict:
    model = new_model()
    model.load_state_dict(torch.load(checkpoint, map_location="cpu"))
    return model.eval()
