#!/usr/bin/env python3
"""Denoising steps of the sample model's UNet in PyTorch: what a user would have instead.

Eager and compiled, in three precisions, batch 2 with guidance; the network alone and the step of a loop around it. The
weights are random: time does not depend on them. Prints a table, and writes the rows of `slipstream bench steps`.
"""
from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "training"))
import model as sample  # noqa: E402

GUIDANCE = 4.0


class Way:
    """One way to do a step: a network, and whether the loop around it is in."""

    def __init__(self, name: str, precision: str, network, inputs: tuple, looped: bool):
        self.name, self.precision, self.network, self.inputs, self.looped = name, precision, network, inputs, looped
        self.millis: list[float] = []
        self.host_micros: list[float] = []

    def step(self, latents: torch.Tensor) -> torch.Tensor:
        timestep, context = self.inputs[1:]
        if not self.looped:
            return self.network(self.inputs[0], timestep, context)
        unguided, guided = self.network(torch.cat([latents, latents]), timestep, context).chunk(2)
        prediction = unguided + GUIDANCE * (guided - unguided)
        return latents * 0.99 - 0.01 * prediction

    @torch.inference_mode()
    def run(self, steps: int, device: str) -> None:
        latents = self.inputs[0][:1]
        host = []
        begin = time.perf_counter()
        for _ in range(steps):
            start = time.perf_counter()
            result = self.step(latents)
            host.append(time.perf_counter() - start)
            latents = result if self.looped else latents
        if device == "cuda":
            torch.cuda.synchronize()
        self.millis.append((time.perf_counter() - begin) * 1e3 / steps)
        self.host_micros = [seconds * 1e6 for seconds in host]


def ways(device: str, compiled: list[str]) -> list[Way]:
    made = []
    types = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    for precision, dtype in types.items():
        if device == "cpu" and precision == "fp16":
            continue  # no half-precision convolutions on older CPUs
        torch.manual_seed(0)
        network = sample.UNet2DConditionModel().eval().to(device, dtype)
        # The embedding of the timestep is float32, and has to meet the weights.
        network.time_embedding.register_forward_pre_hook(lambda module, args: (args[0].to(dtype),))
        size = sample.LATENT_SIZE
        inputs = (torch.randn(2, sample.LATENT_CHANNELS, size, size, device=device, dtype=dtype),
                  torch.full((2,), 500, device=device),
                  torch.randn(2, 14, sample.TEXT_WIDTH, device=device, dtype=dtype))
        networks = {"eager": network}
        for mode in compiled:
            networks[f"compile, {mode}"] = torch.compile(network, mode=mode)
        for name, callable_network in networks.items():
            for looped in (True, False):
                what = "loop" if looped else "network"
                made.append(Way(f"PyTorch {name}, {what}", precision, callable_network, inputs, looped))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    # As Slipstream's engines: float32 is float32.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print("PyTorch", torch.__version__, options.device,
          torch.cuda.get_device_name() if options.device == "cuda" else "")
    all_ways = []
    for way in ways(options.device, [] if options.no_compile else ["default", "reduce-overhead"]):
        try:
            for _ in range(3):
                way.run(options.steps, options.device)
            way.millis.clear()
            all_ways.append(way)
        except Exception as failure:  # one way that does not work here must not hide the others
            print(f"{way.name}, {way.precision}: {type(failure).__name__}: {str(failure).splitlines()[0]}")
    for turn in range(options.rounds):
        for index in range(len(all_ways)):
            all_ways[(turn + index) % len(all_ways)].run(options.steps, options.device)
    rows = [{"model": "model", "precision": way.precision, "way": way.name, "steps": options.steps,
             "step_ms": statistics.median(way.millis), "step_min_ms": min(way.millis), "step_max_ms": max(way.millis),
             "host_us": statistics.median(way.host_micros)} for way in all_ways]
    for row in rows:
        print(f"{row['way']:36} {row['precision']}  {row['step_ms']:8.3f} ms  "
              f"{row['step_min_ms']:.3f}-{row['step_max_ms']:.3f}  host {row['host_us']:.0f} us")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    if not rows:
        sys.exit("no way worked")


if __name__ == "__main__":
    main()
