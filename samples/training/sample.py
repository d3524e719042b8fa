"""Draws pictures from a checkpoint with DDIM and classifier-free guidance: three seeds (rows) of eight prompts."""
from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor, nn

import data
import model as sample_model

PROMPTS = [
    "a large red star on a blue background", "a small green circle at the left on a white background",
    "a large yellow ring on a purple background", "a large blue square on a orange background",
    "a small pink heart at the top on a black background", "a large white triangle on a green background",
    "a large cyan cross on a brown background", "a large purple diamond at the right on a yellow background",
]


@torch.no_grad()
def draw(model: nn.ModuleDict, prompts: list[str], seed: int, steps: int = 50, guidance: float = 4.0) -> Tensor:
    """One picture per prompt, [n, 3, 32, 32] in -1..1. The loop is diffusers' DDIM with "trailing" timesteps."""
    count = len(prompts)
    text = model["te"](torch.tensor([data.encode("")] * count + [data.encode(prompt) for prompt in prompts]))
    shape = (count, sample_model.LATENT_CHANNELS, sample_model.LATENT_SIZE, sample_model.LATENT_SIZE)
    latent = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    alphas = sample_model.cosine_alphas()
    total = sample_model.TRAIN_TIMESTEPS
    timesteps = np.arange(total, 0, -total / steps).round().astype(int) - 1
    stride = total // steps
    for t in timesteps.tolist():
        alpha = alphas[t].item()
        next_alpha = alphas[t - stride].item() if t >= stride else 1.0
        v = model["unet"](torch.cat([latent, latent]), torch.full((2 * count,), t), text)
        unguided, guided = v.chunk(2)
        v = unguided + guidance * (guided - unguided)
        clean = alpha ** .5 * latent - (1 - alpha) ** .5 * v
        noise = (1 - alpha) ** .5 * latent + alpha ** .5 * v
        latent = next_alpha ** .5 * clean + (1 - next_alpha) ** .5 * noise
    return sample_model.VaeDecoder()(latent)


def main(checkpoint: str, out: str, prompts: list[str]) -> None:
    from PIL import Image

    model = sample_model.load_model(checkpoint)
    pictures = torch.cat([draw(model, prompts, seed) for seed in range(3)])
    sheet = data.tile(pictures.numpy(), columns=len(prompts))
    Image.fromarray(sheet).resize((sheet.shape[1] * 4, sheet.shape[0] * 4), Image.NEAREST).save(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("out", help="the PNG file to write")
    parser.add_argument("prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    main(arguments.checkpoint, arguments.out, arguments.prompts)
