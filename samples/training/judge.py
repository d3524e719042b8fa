"""Writes a sheet of pictures, and what the recogniser of evaluate.py says that they show: clear ones, noisy ones, and
blends of two. The Java twin in the tests is held to it.

Run ``judge.py SHEET.png SHEET.txt``; ``judge.py --read SHEET.png SIDE SHEET.txt`` judges a sheet that is there, of
pictures enlarged to SIDE pixels.
"""
from __future__ import annotations

import argparse

import numpy as np
from PIL import Image

import data
import evaluate

COLUMNS, EACH = 8, 16


def draw() -> np.ndarray:
    """Pictures, float32 [48, 3, 32, 32] in -1..1."""
    rng = np.random.default_rng(7)
    clear, other = (np.stack([data.render(data.Scene.draw_lot(rng), rng) for _ in range(3 * EACH)]) for _ in range(2))
    clear[EACH:2 * EACH] += rng.normal(0, .4, clear[EACH:2 * EACH].shape)
    clear[2 * EACH:] += .4 * (other[2 * EACH:] - clear[2 * EACH:])
    return np.clip(clear, -1, 1)


def read(sheet: np.ndarray, side: int) -> np.ndarray:
    """The pictures of a sheet of bytes, row by row, as floats in -1..1."""
    zoom = side // data.IMAGE_SIZE
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    small = sheet[zoom // 2::zoom, zoom // 2::zoom, :3].astype(np.float32) / 127.5 - 1
    return small.reshape(rows, data.IMAGE_SIZE, columns, data.IMAGE_SIZE, 3).transpose(0, 2, 4, 1, 3).reshape(
        rows * columns, 3, data.IMAGE_SIZE, data.IMAGE_SIZE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet")
    parser.add_argument("side", type=int, nargs="?", default=data.IMAGE_SIZE)
    parser.add_argument("text")
    parser.add_argument("--read", action="store_true")
    arguments = parser.parse_args()
    if not arguments.read:
        Image.fromarray(data.tile(draw(), COLUMNS)).save(arguments.sheet, optimize=True)
    pictures = read(np.asarray(Image.open(arguments.sheet).convert("RGB")), arguments.side)
    recognizer = evaluate.Recognizer()
    with open(arguments.text, "w", encoding="ascii") as text:
        text.writelines(recognizer.recognize(picture).caption() + "\n" for picture in pictures)
