"""Writes a checkpoint as a model folder in the ONNX layout of diffusers and Optimum.

Opset 17; only the batch is dynamic; node names are module paths ("/down_blocks.0/resnets.0/conv1/Conv"). The UNet's
weights are stored as float16 with a Cast each, which runtimes fold when they load: half the file at the same speed. The
folder is written beside its place first and then swapped in.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import data
import model as sample_model

OPSET = 17
HALVED_SIZE = 256  # tensors with fewer elements stay float32
DIFFUSERS_VERSION = "0.29.2"

# How the UNet may be cut for asynchronous inference: each component is a list of module-path prefixes, and together
# they hold every convolution and matrix product that depends on the latent. The halves are balanced by time on ONNX
# Runtime with one thread and batch 2: the first component takes 50 to 51 % of it in both cuts. The best cut comes first;
# the shell draws pictures closer to the exact ones and sends fewer bytes.
_HEAD = ["conv_norm_out", "conv_act", "conv_out"]
CUTS = {"cuts": [
    {"name": "shell", "components": [
        ["down_blocks.1.attentions", "down_blocks.1.downsamplers", "down_blocks.2", "mid_block", "up_blocks.0",
         "up_blocks.1.resnets.0", "up_blocks.1.attentions.0"],
        ["conv_in", "down_blocks.0", "down_blocks.1.resnets", "down_blocks.1.attentions.0.norm",
         "down_blocks.1.attentions.0.proj_in", "up_blocks.1.resnets.1", "up_blocks.1.attentions.1",
         "up_blocks.1.upsamplers", "up_blocks.2", *_HEAD]]},
    {"name": "contiguous", "components": [
        ["conv_in", "down_blocks", "mid_block", "up_blocks.0"],
        ["up_blocks.1", "up_blocks.2", *_HEAD]]},
]}


def export_onnx(module: nn.Module, example: dict[str, torch.Tensor], output: str, path: Path,
                halved: bool = False) -> None:
    """Exports one component; the keys of the example are the names of its inputs, in the order of forward()."""
    path.parent.mkdir()
    torch.onnx.export(module, tuple(example.values()), str(path), opset_version=OPSET,
                      input_names=list(example), output_names=[output],
                      dynamic_axes={name: {0: "batch_size"} for name in [*example, output]})
    model = onnx.load(str(path))
    with torch.no_grad():
        _fix_shape(model.graph.output[0], module(*example.values()).shape)
    if halved:
        _halve_weights(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _fix_shape(value: onnx.ValueInfoProto, shape: torch.Size) -> None:
    """Writes down the sizes behind the batch where the exporter's shape inference gave up."""
    for dim, size in zip(list(value.type.tensor_type.shape.dim)[1:], shape[1:]):
        dim.dim_value = size


def _halve_weights(graph: onnx.GraphProto) -> None:
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type == TensorProto.FLOAT and np.prod(weight.dims) >= HALVED_SIZE:
            half = numpy_helper.to_array(weight).astype(np.float16)
            graph.initializer.remove(weight)
            graph.initializer.append(numpy_helper.from_array(half, weight.name + ".fp16"))
            casts.append(helper.make_node("Cast", [weight.name + ".fp16"], [weight.name],
                                          name="/fp16/" + weight.name, to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def unet_config() -> dict:
    attends = [heads > 0 for heads in sample_model.BLOCK_HEADS]
    return {
        "_class_name": "UNet2DConditionModel",
        "_diffusers_version": DIFFUSERS_VERSION,
        "act_fn": "silu",
        # diffusers' name for what is, in Stable Diffusion 1.x as here, the number of heads.
        "attention_head_dim": max(sample_model.BLOCK_HEADS),
        "block_out_channels": list(sample_model.BLOCK_CHANNELS),
        "center_input_sample": False,
        "class_embed_type": None,
        "cross_attention_dim": sample_model.TEXT_WIDTH,
        "down_block_types": ["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attends],
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "in_channels": sample_model.LATENT_CHANNELS,
        "layers_per_block": 1,
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "norm_eps": 1e-5,
        "norm_num_groups": sample_model.NORM_GROUPS,
        "out_channels": sample_model.LATENT_CHANNELS,
        "sample_size": sample_model.LATENT_SIZE,
        "time_cond_proj_dim": None,
        "up_block_types": ["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends)],
        "use_linear_projection": False,
    }


def text_encoder_config() -> dict:
    return {
        "architectures": ["TextEncoder"],
        "model_type": "clip_text_model",
        "hidden_size": sample_model.TEXT_WIDTH,
        "intermediate_size": sample_model.TEXT_WIDTH * sample_model.FEED_FORWARD_FACTOR,
        "hidden_act": "geglu",
        "num_attention_heads": sample_model.TEXT_HEADS,
        "num_hidden_layers": 1,
        "max_position_embeddings": data.MAX_TOKENS,
        "vocab_size": len(data.WORDS),
        "pad_token_id": data.WORD_IDS[data.PAD],
        "bos_token_id": data.WORD_IDS[data.BOS],
        "eos_token_id": data.WORD_IDS[data.EOS],
    }


def vae_config() -> dict:
    return {
        "_class_name": "AutoencoderKL",
        "_diffusers_version": DIFFUSERS_VERSION,
        "block_out_channels": [3, sample_model.LATENT_CHANNELS],  # two levels: one halving of width and height
        "in_channels": 3,
        "latent_channels": sample_model.LATENT_CHANNELS,
        "out_channels": 3,
        "sample_size": data.IMAGE_SIZE,
        "scaling_factor": 1.0,
    }


def scheduler_config() -> dict:
    # "trailing" because diffusers' DDIM steps from t to t - 1000 // steps: only there is that the next timestep of the
    # list, so that no step starts from a noise level other than the one the step before it has reached.
    return {
        "_class_name": "DDIMScheduler",
        "_diffusers_version": DIFFUSERS_VERSION,
        "beta_schedule": "squaredcos_cap_v2",
        "clip_sample": False,
        "num_train_timesteps": sample_model.TRAIN_TIMESTEPS,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": False,
        "set_alpha_to_one": True,
        "steps_offset": 0,
        "thresholding": False,
        "timestep_spacing": "trailing",
        "trained_betas": None,
    }


def tokenizer_json() -> dict:
    """The tokenizer in the format of Hugging Face's tokenizers; it gives the ids of data.encode()."""
    special = [data.PAD, data.BOS, data.EOS, data.UNK]

    def token(name: str) -> dict:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def sequence(name: str, type_id: int) -> dict:
        return {"Sequence": {"id": name, "type_id": type_id}}

    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": data.MAX_TOKENS, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": data.MAX_TOKENS}, "direction": "Right", "pad_to_multiple_of": None,
                    "pad_id": data.WORD_IDS[data.PAD], "pad_type_id": 0, "pad_token": data.PAD},
        "added_tokens": [
            {"id": data.WORD_IDS[word], "content": word, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for word in special],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token(data.BOS), sequence("A", 0), token(data.EOS)],
            "pair": [token(data.BOS), sequence("A", 0), token(data.EOS), sequence("B", 1), token(data.EOS)],
            "special_tokens": {name: {"id": name, "ids": [data.WORD_IDS[name]], "tokens": [name]}
                               for name in (data.BOS, data.EOS)}},
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": data.WORD_IDS, "unk_token": data.UNK},
    }


def tokenizer_config() -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": data.MAX_TOKENS,
        "padding_side": "right",
        "pad_token": data.PAD,
        "bos_token": data.BOS,
        "eos_token": data.EOS,
        "unk_token": data.UNK,
    }


def model_index() -> dict:
    return {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": DIFFUSERS_VERSION,
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["diffusers", "OnnxRuntimeModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "unet": ["diffusers", "OnnxRuntimeModel"],
        "vae_decoder": ["diffusers", "OnnxRuntimeModel"],
    }


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def export(checkpoint: str, folder: Path) -> None:
    model = sample_model.load_model(checkpoint)
    latent = torch.randn(2, sample_model.LATENT_CHANNELS, sample_model.LATENT_SIZE, sample_model.LATENT_SIZE)
    text = torch.randn(2, data.MAX_TOKENS, sample_model.TEXT_WIDTH)
    ids = torch.tensor([data.encode("")] * 2)

    export_onnx(model["unet"], {"sample": latent, "timestep": torch.tensor([10, 10]), "encoder_hidden_states": text},
                "out_sample", folder / "unet" / "model.onnx", halved=True)
    export_onnx(model["te"], {"input_ids": ids}, "last_hidden_state", folder / "text_encoder" / "model.onnx")
    export_onnx(sample_model.VaeDecoder(), {"latent_sample": latent}, "sample", folder / "vae_decoder" / "model.onnx")
    write_json(folder / "unet" / "config.json", unet_config())
    write_json(folder / "text_encoder" / "config.json", text_encoder_config())
    write_json(folder / "vae_decoder" / "config.json", vae_config())
    write_json(folder / "scheduler" / "scheduler_config.json", scheduler_config())
    write_json(folder / "tokenizer" / "tokenizer.json", tokenizer_json())
    write_json(folder / "tokenizer" / "tokenizer_config.json", tokenizer_config())
    write_json(folder / "model_index.json", model_index())
    write_json(folder / "cuts.json", CUTS)


def main(checkpoint: str, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        export(checkpoint, new)
        if out.exists():
            os.rename(out, old)
        shutil.move(new, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("out", type=Path, help="the model folder to write; one that is there is replaced")
    arguments = parser.parse_args()
    main(arguments.checkpoint, arguments.out)
