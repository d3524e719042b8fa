"""Counts how many pictures of random prompts show what the prompt says.

Each picture is compared with a template of every shape, size and place, slightly moved and scaled: the template that
explains it best with two flat colours says what is in it, and the colours are named by the nearest one.
"""
from __future__ import annotations

import argparse
import dataclasses

import numpy as np
import torch

import data
import model as sample_model
import sample

BATCH = 32


class Recognizer:
    def __init__(self):
        self._labels: list[tuple[str, str, str]] = []
        masks = []
        for size, nominal in data.RADII.items():
            for shape in data.SHAPES:
                for place in data.PLACES:
                    for radius in nominal * np.array([.94, 1.0, 1.06]):
                        center_x, center_y = data.center_of(place, radius)
                        for dx in (-.7, 0, .7):
                            for dy in (-.7, 0, .7):
                                mask = data.coverage(shape, center_x + dx, center_y + dy, radius)
                                masks.append(data.average(mask).ravel())
                                self._labels.append((size, shape, place))
        self._masks = np.array(masks, np.float64)

    def recognize(self, picture: np.ndarray) -> data.Scene:
        """What a picture [3, 32, 32] in -1..1 shows."""
        pixels = (picture.reshape(3, -1).T.astype(np.float64) + 1) / 2
        masks, inverse = self._masks, 1 - self._masks
        # Least squares for pixels = mask * front + (1 - mask) * back, solved for all masks at once.
        a, b, c = (masks * masks).sum(1), (masks * inverse).sum(1), (inverse * inverse).sum(1)
        front_sum, back_sum = masks @ pixels, inverse @ pixels
        determinant = (a * c - b * b)[:, None]
        front = (c[:, None] * front_sum - b[:, None] * back_sum) / determinant
        back = (a[:, None] * back_sum - b[:, None] * front_sum) / determinant
        explained = (front * front_sum + back * back_sum).sum(1)
        best = int(explained.argmax())
        size, shape, place = self._labels[best]
        return data.Scene(size, self._name(front[best]), shape, place, self._name(back[best]))

    @staticmethod
    def _name(color: np.ndarray) -> str:
        return data.COLOR_NAMES[int(((data.COLOR_VALUES - color) ** 2).sum(1).argmin())]


def main(checkpoint: str, count: int, steps: int, guidance: float) -> None:
    model, recognizer = sample_model.load_model(checkpoint), Recognizer()
    rng = np.random.default_rng(0)
    attributes = [field.name for field in dataclasses.fields(data.Scene)]
    right, all_right = dict.fromkeys(attributes, 0), {shape: [0, 0] for shape in data.SHAPES}
    for start in range(0, count, BATCH):
        scenes = [data.Scene.draw_lot(rng) for _ in range(min(BATCH, count - start))]
        pictures = sample.draw(model, [scene.caption() for scene in scenes], start, steps, guidance).numpy()
        for wanted, picture in zip(scenes, pictures):
            seen = recognizer.recognize(picture)
            for attribute in attributes:
                right[attribute] += getattr(seen, attribute) == getattr(wanted, attribute)
            all_right[wanted.shape][0] += seen == wanted
            all_right[wanted.shape][1] += 1
            if seen != wanted:
                print(f"wanted {wanted.caption()}, seen {seen.caption()}")
    for attribute in attributes:
        print(f"{attribute:10} {right[attribute]} of {count}")
    for shape, (good, total) in all_right.items():
        print(f"{shape:10} all right: {good} of {total}")
    print(f"everything right: {sum(good for good, _ in all_right.values())} of {count}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--count", type=int, default=96)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    main(arguments.checkpoint, arguments.count, arguments.steps, arguments.guidance)
