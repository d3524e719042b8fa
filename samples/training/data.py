"""The data set: captioned 32x32 pictures of one coloured shape, drawn on the fly.

A picture shows one of 8 shapes in one of 12 colours, small or large, at one of 5 places, on a background of another
colour. Its caption reads "a large red star at the left on a blue background"; size, place and background are now and
then left out, so that short prompts work too.

Run ``data.py OUT.png`` to look at 64 of them.
"""
from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

IMAGE_SIZE = 32
MAX_TOKENS = 14

COLORS: dict[str, tuple[float, float, float]] = {
    "red": (.86, .10, .12), "green": (.10, .62, .20), "blue": (.12, .25, .85), "yellow": (.98, .85, .12),
    "orange": (.97, .52, .08), "purple": (.50, .16, .65), "pink": (.97, .55, .72), "cyan": (.20, .80, .85),
    "white": (.97, .97, .97), "black": (.05, .05, .06), "gray": (.52, .53, .55), "brown": (.45, .27, .13),
}
COLOR_NAMES = list(COLORS)
COLOR_VALUES = np.array(list(COLORS.values()), np.float32)

RADII = {"small": 5.0, "large": 8.5}  # pixels
SIZE_NAMES = list(RADII)
PLACES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1), "center": (0, 0)}  # x right, y down
PLACE_NAMES = list(PLACES)


# --- Shapes. Each function returns the (approximate) signed distance, in pixels, to the edge of a shape of radius
# --- `radius` around the origin: negative inside, positive outside. The y axis points down.

def _circle(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.hypot(x, y) - radius


def _square(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y)) - .86 * radius


def _triangle(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.maximum(.866 * np.abs(x) - .5 * y, y) - .55 * radius


def _star(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    sector = 2 * np.pi / 5
    # Fold the plane onto half a sector around the upper tip; there the edge is one line, from tip to notch.
    angle = np.abs((np.arctan2(x, -y) + sector / 2) % sector - sector / 2)
    distance = np.hypot(x, y)
    along, across = distance * np.cos(angle), distance * np.sin(angle)
    tip, notch = 1.1 * radius, .46 * radius
    edge_along, edge_across = notch * np.cos(sector / 2) - tip, notch * np.sin(sector / 2)
    return (edge_across * (along - tip) - edge_along * across) / np.hypot(edge_along, edge_across)


def _ring(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.abs(np.hypot(x, y) - .78 * radius) - .24 * radius


def _cross(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    x, y, arm = np.abs(x), np.abs(y), .34 * radius
    return np.minimum(np.maximum(x - radius, y - arm), np.maximum(y - radius, x - arm))


def _diamond(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return 1.15 * np.abs(x) + .87 * np.abs(y) - .95 * radius


def _heart(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    x, y = 1.15 * x / radius, 1.15 * (.12 - y / radius)
    return .35 * radius * np.cbrt((x * x + y * y - 1) ** 3 - x * x * y ** 3)


SHAPES: dict[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "circle": _circle, "square": _square, "triangle": _triangle, "star": _star,
    "ring": _ring, "cross": _cross, "diamond": _diamond, "heart": _heart,
}
SHAPE_NAMES = list(SHAPES)


# --- The vocabulary. A word's id is its place in the list.

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
WORDS = [PAD, BOS, EOS, UNK, "a", "on", "background", "at", "the",
         *COLOR_NAMES, *SHAPE_NAMES, *SIZE_NAMES, *PLACE_NAMES]
WORD_IDS = {word: index for index, word in enumerate(WORDS)}


def encode(prompt: str) -> list[int]:
    """Token ids of a prompt: <bos>, its words, <eos>, and <pad> up to MAX_TOKENS."""
    words = [WORD_IDS.get(word, WORD_IDS[UNK]) for word in prompt.lower().split()][:MAX_TOKENS - 2]
    ids = [WORD_IDS[BOS], *words, WORD_IDS[EOS]]
    return ids + [WORD_IDS[PAD]] * (MAX_TOKENS - len(ids))


# --- Scenes.

@dataclass(frozen=True)
class Scene:
    """What a picture shows, in words."""

    size: str
    color: str
    shape: str
    place: str
    background: str

    @staticmethod
    def draw_lot(rng: np.random.Generator) -> Scene:
        color, background = rng.choice(len(COLOR_NAMES), 2, replace=False)
        return Scene(SIZE_NAMES[rng.integers(len(SIZE_NAMES))], COLOR_NAMES[color],
                     SHAPE_NAMES[rng.integers(len(SHAPE_NAMES))], PLACE_NAMES[rng.integers(len(PLACE_NAMES))],
                     COLOR_NAMES[background])

    def caption(self) -> str:
        return f"a {self.size} {self.color} {self.shape} at the {self.place} on a {self.background} background"

    def loose_caption(self, rng: np.random.Generator) -> str:
        """The caption, with size, place and background sometimes left out."""
        words = ["a"]
        if rng.random() < .85:
            words.append(self.size)
        words += [self.color, self.shape]
        if rng.random() < .6:
            words += ["at", "the", self.place]
        if rng.random() < .92:
            words += ["on", "a", self.background, "background"]
        return " ".join(words)


_SUPERSAMPLING = 2
_AXIS = (np.arange(IMAGE_SIZE * _SUPERSAMPLING, dtype=np.float32) + .5) / _SUPERSAMPLING
_GRID_X, _GRID_Y = np.meshgrid(_AXIS, _AXIS)


def center_of(place: str, radius: float) -> tuple[float, float]:
    """Where the middle of a shape lies, in pixels from the upper left corner, before jitter."""
    reach = IMAGE_SIZE / 2 - 1.12 * radius - 1
    toward_x, toward_y = PLACES[place]
    return IMAGE_SIZE / 2 + reach * toward_x, IMAGE_SIZE / 2 + reach * toward_y


def coverage(shape: str, center_x: float, center_y: float, radius: float) -> np.ndarray:
    """How much of each subpixel the shape covers, 0 to 1."""
    distance = SHAPES[shape](_GRID_X - center_x, _GRID_Y - center_y, radius)
    return np.clip(.5 - distance * _SUPERSAMPLING, 0, 1)


def average(subpixels: np.ndarray) -> np.ndarray:
    """Averages the subpixels of each pixel; the last two axes are y and x."""
    blocks = subpixels.reshape(*subpixels.shape[:-2], IMAGE_SIZE, _SUPERSAMPLING, IMAGE_SIZE, _SUPERSAMPLING)
    return blocks.mean((-3, -1))


def render(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draws a scene with slightly random size, place and brightness: float32 [3, 32, 32] in -1..1."""
    radius = RADII[scene.size] * rng.uniform(.92, 1.08)
    center_x, center_y = center_of(scene.place, radius) + rng.uniform(-.8, .8, 2)
    mask = coverage(scene.shape, center_x, center_y, radius)

    def paint(color: str, light: np.ndarray) -> np.ndarray:
        value = np.clip(COLOR_VALUES[COLOR_NAMES.index(color)] * rng.uniform(.92, 1.05), 0, 1)
        return value[:, None, None] * light

    front = paint(scene.color, 1.06 - .16 * ((_GRID_Y - center_y) / radius * .5 + .5))
    back = paint(scene.background, 1.04 - .22 * _GRID_Y / IMAGE_SIZE)
    picture = average(back * (1 - mask) + front * mask)
    return (np.clip(picture, 0, 1) * 2 - 1).astype(np.float32)


def sample(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random pictures, float32 [count, 3, 32, 32] in -1..1, and the token ids of their captions, int64 [count, 14]."""
    scenes = [Scene.draw_lot(rng) for _ in range(count)]
    pictures = np.stack([render(scene, rng) for scene in scenes])
    ids = np.array([encode(scene.loose_caption(rng)) for scene in scenes], np.int64)
    return pictures, ids


def tile(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures [n, 3, 32, 32] in -1..1 as one sheet of bytes, [height, width, 3], filled row by row."""
    rows = len(pictures) // columns
    sheet = pictures.reshape(rows, columns, 3, IMAGE_SIZE, IMAGE_SIZE).transpose(0, 3, 1, 4, 2)
    return np.round((sheet.reshape(rows * IMAGE_SIZE, columns * IMAGE_SIZE, 3) + 1) * 127.5).astype(np.uint8)


if __name__ == "__main__":
    from PIL import Image

    sheet = tile(sample(np.random.default_rng(0), 64)[0], columns=8)
    Image.fromarray(sheet).resize((768, 768), Image.NEAREST).save(sys.argv[1])
