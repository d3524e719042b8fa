"""Makes reference cases of noise schedulers with diffusers (pip install diffusers torch scipy); README.md tells the toy loop.

    python make_cases.py add CONFIG CLASS STEPS [BEGIN]   appends a case of a configuration in reference-schedules.json
    python make_cases.py check                            makes all of its cases again and tells which differ
    python make_cases.py options                          writes reference-options.json: what each option of each class does
"""
import inspect
import json
import math
import pathlib
import sys

import diffusers
import numpy
import torch

SCHEDULES = pathlib.Path(__file__).with_name("reference-schedules.json")
OPTIONS = pathlib.Path(__file__).with_name("reference-options.json")
I = torch.arange(8, dtype=torch.float32).reshape(1, 8, 1, 1)


class Noise:
    """Standard normal noise of which each draw is known."""

    def __init__(self):
        self.drawn = 0

    def __call__(self, *args, **kwargs):
        j, self.drawn = self.drawn, self.drawn + 1
        return math.sqrt(2) * torch.sin(1.7 * j + 0.9 * I + 0.3)


class BrownianPath:
    """What DPMSolverSDEScheduler draws from: increments of one path, each divided by the root of its length."""

    def __init__(self, noise):
        self.noise, self.begin = noise, None

    def __call__(self, sigma, sigma_next):
        if self.begin != sigma:
            self.begin, self.middle, self.half = sigma, sigma_next, self.noise()
            return self.half
        shared = (sigma - self.middle) / (sigma - sigma_next)
        return torch.sqrt(shared) * self.half + torch.sqrt(1 - shared) * self.noise()


def digits(tensor):
    return [float(f"{v:.7g}") for v in tensor.flatten().tolist()]


def run(method, config, steps, begin=0, tokens=None):
    cls = getattr(diffusers, method)
    scheduler = cls.from_config({k: float(v) if v in ("inf", "-inf") else v for k, v in config.items()})
    if config.get("use_dynamic_shifting"):
        low, high = scheduler.config.base_image_seq_len, scheduler.config.max_image_seq_len
        slope = (scheduler.config.max_shift - scheduler.config.base_shift) / (high - low)
        scheduler.set_timesteps(sigmas=numpy.linspace(1, 1 / steps, steps),
                                mu=scheduler.config.base_shift + slope * (tokens - low))
    else:
        scheduler.set_timesteps(steps)
    timesteps, noise, scale = scheduler.timesteps, Noise(), float(getattr(scheduler, "init_noise_sigma", 1))
    sys.modules[cls.__module__].randn_tensor = noise
    torch.randn_like = noise
    scheduler.noise_sampler = BrownianPath(noise)
    x = scale * (0.5 * I - 1.75)
    if begin > 0:
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        add = getattr(scheduler, "add_noise", lambda clean, noise, time: scheduler.scale_noise(clean, time, noise))
        x = add(0.25 * I - 0.875, 0.5 * I - 1.75, timesteps[begin:begin + 1])
    for k, t in enumerate(timesteps[begin:], begin):
        y = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(torch.sin(0.7 * y + 0.3 * k), t, x).prev_sample
    return {"timesteps": digits(timesteps), "init_noise_sigma": float(f"{scale:.7g}"), "noise_calls": noise.drawn,
            "last": digits(x)}


def case(config, method, steps, begin, configs):
    return {"name": config, "method": method, "config": config, "steps": steps, "begin": begin,
            **run(method, configs[config], steps, begin)}


def differs(a, b):
    largest = max(abs(v) for v in b["last"])
    return (len(a["timesteps"]) != len(b["timesteps"])
            or any(abs(p - q) > 0.02 for p, q in zip(a["timesteps"], b["timesteps"]))
            or not all(abs(p - q) <= 1e-4 * largest for p, q in zip(a["last"], b["last"])))


FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
DYNAMIC = {"use_dynamic_shifting": True}
# By option: values, each with what must be set besides for it to matter, and the number of steps.
PROBES = {
    "num_train_timesteps": [(500, {}, 7)],
    "beta_start": [(0.002, {}, 7)],
    "beta_end": [(0.02, {}, 7)],
    "beta_schedule": [(s, {}, 7) for s in ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace", "exp")],
    "trained_betas": [([0.01 * i for i in range(1, 11)], {"num_train_timesteps": 10, "original_inference_steps": 10}, 5)],
    "prediction_type": [(s, {}, 7) for s in ("v_prediction", "sample")] + [("flow_prediction", {"use_flow_sigmas": True}, 7)],
    "timestep_spacing": [(s, {}, 7) for s in ("leading", "trailing", "linspace")],
    "timestep_type": [("continuous", {}, 7), ("continuous", {"prediction_type": "v_prediction"}, 7)],
    "interpolation_type": [("log_linear", {}, 7)],
    "steps_offset": [(1, {"timestep_spacing": "leading"}, 7), (1, {"timestep_spacing": "trailing"}, 7)],
    "rescale_betas_zero_snr": [(True, {"prediction_type": "v_prediction", "timestep_spacing": "trailing"}, 7)],
    "set_alpha_to_one": [(True, {"set_alpha_to_one": False}, 7), (False, {"set_alpha_to_one": True}, 7)],
    "skip_prk_steps": [(True, {"skip_prk_steps": False}, 7), (False, {"skip_prk_steps": True}, 7)],
    "clip_sample": [(True, {}, 7)],
    "clip_sample_range": [(0.5, {"clip_sample": True}, 7)],
    "thresholding": [(True, {}, 7)],
    "dynamic_thresholding_ratio": [(0.5, {"thresholding": True, "sample_max_value": 3.0}, 7)],
    "sample_max_value": [(1.5, {"thresholding": True}, 7)],
    "variance_type": [(s, {}, 7) for s in ("fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range")],
    "final_sigmas_type": [("sigma_min", {}, 7)],
    "sigma_min": [(0.1, {}, 7)] + [(0.1, {"use_%s_sigmas" % s: True}, 7) for s in ("karras", "exponential", "beta")],
    "sigma_max": [(10.0, {}, 7)] + [(10.0, {"use_%s_sigmas" % s: True}, 7) for s in ("karras", "exponential", "beta")],
    "sigma_data": [(1.0, {}, 7)],
    "sigma_schedule": [("exponential", {}, 7)],
    "rho": [(5.0, {}, 7)],
    "use_karras_sigmas": [(True, {}, 7), (True, FLOW, 7)],
    "use_exponential_sigmas": [(True, {}, 7)],
    "use_beta_sigmas": [(True, {}, 7)],
    "use_lu_lambdas": [(True, {}, 7)],
    "use_flow_sigmas": [(True, {"prediction_type": "flow_prediction"}, 7)],
    "flow_shift": [(3.0, {}, 7), (3.0, FLOW, 7)],
    "lambda_min_clipped": [(-2.0, {}, 7)],
    "algorithm_type": [(s, {"final_sigmas_type": "sigma_min"}, 7) for s in
                       ("dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis")],
    "solver_order": [(1, {}, 7), (3, {}, 7), (3, {}, 16)],
    "solver_type": [(s, {"final_sigmas_type": "sigma_min"}, 7) for s in ("midpoint", "heun", "logrho", "bh1", "bh2")],
    "lower_order_final": [(b, {"solver_order": 3, "final_sigmas_type": "sigma_min", "lower_order_final": not b}, n)
                          for b in (True, False) for n in (14, 15, 16)],
    "euler_at_final": [(True, {"final_sigmas_type": "sigma_min"}, 16)],
    "predict_x0": [(False, {"final_sigmas_type": "sigma_min"}, 7)],
    "disable_corrector": [([0, 2], {}, 7)],
    "noise_sampler_seed": [(5, {}, 7)],
    "original_inference_steps": [(100, {}, 7)],
    "timestep_scaling": [(0.01, {}, 7)],
    "shift": [(3.0, {}, 7)],
    "shift_terminal": [(0.1, {}, 7), (0.1, FLOW, 7)],
    "invert_sigmas": [(True, {}, 7)],
    "stochastic_sampling": [(True, {}, 7)],
    "use_dynamic_shifting": [(True, {}, 7), (True, FLOW, 7)],
    "base_shift": [(0.3, DYNAMIC, 7), (0.3, {}, 7)],
    "max_shift": [(2.0, DYNAMIC, 7), (2.0, {}, 7)],
    "base_image_seq_len": [(512, DYNAMIC, 7), (512, {}, 7)],
    "max_image_seq_len": [(2048, DYNAMIC, 7), (2048, {}, 7)],
    "time_shift_type": [("linear", DYNAMIC, 7), ("linear", {}, 7)],
}
# A predictor is an object, which no file holds.
NOT_IN_FILES = {"solver_p"}
BASE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
# What is left out for classes that do not have it; other probes are not made for such classes.
OPTIONAL = {"original_inference_steps", "final_sigmas_type", "timestep_spacing"}
TOKENS = 1024


def attempt(method, config, steps):
    try:
        result = run(method, config, steps, tokens=TOKENS)
        return result if all(map(math.isfinite, result["last"])) else None
    except Exception:
        return None


def probes(method):
    known = {name: each.default for name, each in
             inspect.signature(getattr(diffusers, method).__init__).parameters.items() if name != "self"}
    for option in known:
        for value, context, steps in PROBES[option] if option not in NOT_IN_FILES else []:
            if value == {**BASE, **context}.get(option, known[option]) or any(name not in known for name in context
                                                                              if name not in OPTIONAL):
                continue
            before = {name: each for name, each in {**BASE, **context}.items() if name in known}
            after = attempt(method, {**before, option: value}, steps)
            plain = attempt(method, before, steps)
            does = "fails" if after is None else "changes" if plain is None or after != plain else "nothing"
            yield {"method": method, "option": option, "value": value, "with": before, "steps": steps, "does": does,
                   **(after if does == "changes" else {})}



def text(value):
    return json.dumps(value, separators=(",", ":"))


def main(verb, *args):
    table = json.loads(SCHEDULES.read_text())
    configs, cases = table["configs"], table["cases"]
    if verb == "add":
        cases.append(case(args[0], args[1], int(args[2]), int(args[3]) if args[3:] else 0, configs))
        SCHEDULES.write_text('{"configs":{\n' + ",\n".join(f"{text(k)}:{text(v)}" for k, v in configs.items())
                             + '\n},"cases":[\n' + ",\n".join(map(text, cases)) + "\n]}\n")
    elif verb == "check":
        for old in cases:
            if differs(case(old["config"], old["method"], old["steps"], old["begin"], configs), old):
                print("differs:", old["config"], old["method"], old["steps"], old["begin"])
    elif verb == "options":
        methods = sorted({old["method"] for old in cases})
        OPTIONS.write_text("[\n" + ",\n".join(text(each) for method in methods for each in probes(method)) + "\n]\n")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
