"""Trains text encoder and UNet together on pictures drawn by data.py.

v-prediction on the cosine schedule, 10 % of the captions replaced by the empty one (for classifier-free guidance), an
exponential moving average of the weights, and a learning rate that falls as a cosine over the run. The average is
what is saved, every few minutes and at the end.
"""
from __future__ import annotations

import argparse
import copy
import functools
import math
import os
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import data
import model as sample_model

BATCH = 32
EMPTY_CAPTIONS = .1
AVERAGE_DECAY = .999
WARM_UP_STEPS = 200
LOG_STEPS = 100
SAVE_SECONDS = 150


def use_bfloat16(unet: nn.Module) -> None:
    """Lets convolutions, linear layers and attention compute in bfloat16, with float32 weights and results.

    torch.autocast would do, but that of PyTorch 1.13 fails on the CPU's group norms.
    """
    bf16 = torch.bfloat16

    def conv2d(layer: nn.Conv2d, x: Tensor) -> Tensor:
        return F.conv2d(x.to(bf16), layer.weight.to(bf16), layer.bias.to(bf16), layer.stride, layer.padding).float()

    def linear(layer: nn.Linear, x: Tensor) -> Tensor:
        bias = None if layer.bias is None else layer.bias.to(bf16)
        return F.linear(x.to(bf16), layer.weight.to(bf16), bias).float()

    def attend(layer: sample_model.Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        weights = ((query * layer.scale).to(bf16) @ key.to(bf16).transpose(-1, -2)).softmax(-1)
        return (weights @ value.to(bf16)).float()

    for module in unet.modules():
        if isinstance(module, nn.Conv2d):
            module.forward = functools.partial(conv2d, module)
        elif isinstance(module, nn.Linear):
            module.forward = functools.partial(linear, module)
        elif isinstance(module, sample_model.Attention):
            module.attend = functools.partial(attend, module)


class Pool:
    """A fixed set of pictures, drawn once because drawing is slower than training on them."""

    def __init__(self, size: int, rng: np.random.Generator):
        self._rng = rng
        self._pictures = torch.empty(size, 3, data.IMAGE_SIZE, data.IMAGE_SIZE, dtype=torch.uint8)
        self._ids = torch.empty(size, data.MAX_TOKENS, dtype=torch.long)
        for start in range(0, size, 1000):
            end = min(start + 1000, size)
            pictures, ids = data.sample(rng, end - start)
            self._pictures[start:end] = torch.from_numpy(np.round((pictures + 1) * 127.5).astype(np.uint8))
            self._ids[start:end] = torch.from_numpy(ids)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Clean latents and token ids."""
        pick = torch.from_numpy(self._rng.integers(0, len(self._ids), BATCH))
        return sample_model.fold(self._pictures[pick].float() / 127.5 - 1), self._ids[pick]


def loss_of(model: nn.ModuleDict, clean: Tensor, ids: Tensor, alphas: Tensor) -> Tensor:
    timestep = torch.randint(0, sample_model.TRAIN_TIMESTEPS, (BATCH,))
    signal = alphas[timestep].sqrt()[:, None, None, None]
    sigma = (1 - alphas[timestep]).sqrt()[:, None, None, None]
    noise = torch.randn_like(clean)
    noisy = (signal * clean + sigma * noise).contiguous(memory_format=torch.channels_last)
    return F.mse_loss(model["unet"](noisy, timestep, model["te"](ids)), signal * noise - sigma * clean)


def learning_rate(peak: float, step: int, progress: float) -> float:
    """Linear warm-up by steps, then a cosine from the peak to 2 % of it by the run's progress, 0 to 1."""
    return peak * min(1, (step + 1) / WARM_UP_STEPS) * (.02 + .49 * (1 + math.cos(math.pi * progress)))


def save(model: nn.ModuleDict, path: str) -> None:
    torch.save(model.state_dict(), path + ".part")
    os.replace(path + ".part", path)


def train(minutes: float, path: str, peak_rate: float, pool_size: int) -> None:
    model = sample_model.new_model()
    if os.path.exists(path):
        model.load_state_dict(torch.load(path))
    average = copy.deepcopy(model).eval()
    model["unet"].to(memory_format=torch.channels_last)
    use_bfloat16(model["unet"])
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-3, betas=(.9, .99))

    pool = Pool(pool_size, np.random.default_rng())
    alphas, empty = sample_model.cosine_alphas().float(), torch.tensor(data.encode(""))
    start = saved = time.monotonic()
    step, loss_sum = 0, 0.0
    while (progress := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(peak_rate, step, progress)
        clean, ids = pool.batch()
        ids[torch.rand(BATCH) < EMPTY_CAPTIONS] = empty
        loss = loss_of(model, clean, ids, alphas)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
            for averaged, current in zip(average.parameters(), model.parameters()):
                averaged.lerp_(current, 1 - decay)

        step += 1
        loss_sum += loss.item()
        if step % LOG_STEPS == 0:
            rate = step * BATCH / (time.monotonic() - start)
            print(f"{step * BATCH} images, loss {loss_sum / LOG_STEPS:.4f}, {rate:.0f} images/s", flush=True)
            loss_sum = 0.0
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save(average, path)
    save(average, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--checkpoint", default="checkpoint.pt", help="resumed from if it exists, and saved to")
    parser.add_argument("--learning-rate", type=float, default=1.2e-3, help="peak; 8e-4 is good for resuming")
    parser.add_argument("--pool", type=int, default=60000, help="how many different pictures to draw")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.minutes, arguments.checkpoint, arguments.learning_rate, arguments.pool)
