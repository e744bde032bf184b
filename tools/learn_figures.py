"""Render the figures of the page Learn: `python -m tools.learn_figures [NAME ...]` writes them to assets/learn.

Each is computed by the program from its own samples, with the built-in network. `--size` and `--epochs` make a trial
quicker.
"""

import argparse
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from nst.engine.diagnosis import diagnose
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.step import Step
from nst.options.style_options import StyleOptions
from nst.pictures.heat_map import matrix_heat_map
from nst.pictures.images import encode_jpeg, encode_png, fit, read_file, resize
from nst.pictures.noise import start_noise
from nst.pictures.samples import find

FOLDER = Path(__file__).parents[1] / "assets" / "learn"
CONTENT, STYLE = "owl", "night-wind"
QUALITY = 84  # JPEG
GRAM_LAYER = "block2_conv1"
CHART = (560, 300)  # px
Files = Iterator[tuple[str, bytes]]  # file name and contents


class Renderer:
    """Renders figures; `size` is the long side of a picture in px."""

    def __init__(self, size: int, epochs: int) -> None:
        self.size, self.epochs = size, epochs
        self._content, self._style = (read_file(find(name).path).rgb for name in (CONTENT, STYLE))
        self._network = load_extractor("compact")

    def steps(self, **options: object) -> Iterator[Step]:
        """The steps of a run with these options."""
        given = StyleOptions.from_json({"size": self.size, "epochs": self.epochs, **options})
        init = start_noise() if given.init == "image" else None
        return stylize(self._content, self._style, given, init=init, extractor=self._network)

    def jpeg(self, **options: object) -> bytes:
        """The result of a run with these options."""
        return encode_jpeg(deque(self.steps(**options), maxlen=1).pop().image, QUALITY)

    def values(self, name: str, values: Sequence[object], **options: object) -> Files:
        """A picture for each value of an option."""
        for value in values:
            yield f"{name}-{value}.jpg", self.jpeg(**{name: value}, **options)

    def painting(self) -> Files:
        """The result."""
        yield "painting.jpg", self.jpeg()

    def _alone(self) -> dict[str, object]:
        """Options of a picture of one layer: small, and on one scale, because the others add details of the content."""
        return {"init": "image", "size": self.size // 2, "tv_weight": 1, "neighbor_weight": 0}

    def content(self) -> Files:
        """What each content layer alone keeps of the content."""
        for layer in ("block1_conv1", "block3_conv1", "block4_conv2", "block5_conv1"):
            yield f"content-{layer}.jpg", self.jpeg(content_layers={layer: 1}, style_weight=0, **self._alone())

    def style(self) -> Files:
        """What each style layer alone takes from the style."""
        for layer in ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"):
            yield f"style-{layer}.jpg", self.jpeg(style_layers={layer: 1}, content_weight=0, **self._alone())

    def gram(self) -> Files:
        """Gram matrices of one layer: of the content, of the painting, and of the style."""
        options = StyleOptions(size=self.size, style_layers=((GRAM_LAYER, 1.0),))
        content = resize(self._content, *fit(*self._content.shape[:2], self.size))
        painting = deque(self.steps(), maxlen=1).pop().image
        found = {
            name: diagnose(picture, content, [self._style], options, self._network).matrices[GRAM_LAYER]
            for name, picture in (("content", content), ("painting", painting))
        }
        target = found["content"][1]
        matrices = {name: now for name, (now, _) in found.items()} | {"style": target}
        for name, matrix in matrices.items():
            yield f"gram-{name}.png", encode_png(matrix_heat_map(matrix, target))

    def strength(self) -> Files:
        """More style, or more content."""
        yield from self.values("strength", (0.1, 1, 10))

    def smoothness(self) -> Files:
        """Without total variation, with the default, and with much of it."""
        yield from self.values("tv_weight", (0, 12, 200))

    def neighbors(self) -> Files:
        """Without the nearest-neighbor loss, with the default, and with much of it."""
        yield from self.values("neighbor_weight", (0, 4, 32))

    def scales(self) -> Files:
        """The last picture of each scale of a run."""
        last = {max(step.scale.height, step.scale.width): step for step in self.steps()}
        for number, step in enumerate(last.values(), 1):
            yield f"scale-{number}.jpg", encode_jpeg(step.image, QUALITY)

    def optimizers(self) -> Files:
        """Loss against steps of both optimizers, on one scale."""
        curves = {
            name: [step.losses.total for step in self.steps(optimizer=name, init="content", size=self.size // 2)]
            for name in StyleOptions.option("optimizer").choices
        }
        yield "optimizers.svg", chart(curves).encode()


FIGURES: Mapping[str, Callable[[Renderer], Files]] = {
    name: getattr(Renderer, name)
    for name in ("painting", "content", "style", "gram", "strength", "smoothness", "neighbors", "scales", "optimizers")
}


def chart(curves: Mapping[str, Sequence[float]]) -> str:
    """Loss, on a logarithmic axis, against steps: an SVG whose colors suit light and dark pages."""
    width, height = CHART
    left, bottom, top = 44, 34, 12
    values = np.log10(np.concatenate([np.array(curve) for curve in curves.values()]))
    low, high, most = float(values.min()), float(values.max()), max(map(len, curves.values())) - 1
    parts = []
    for (name, curve), color in zip(curves.items(), ("#d9622f", "#3a91a3"), strict=True):
        points = [
            (
                left + (width - left - 90) * n / most,
                top + (height - top - bottom) * (high - np.log10(loss)) / (high - low),
            )
            for n, loss in enumerate(curve)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        label = {"lbfgs": "L-BFGS", "adam": "Adam"}[name]
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        parts.append(f'<text x="{points[-1][0] + 8:.0f}" y="{points[-1][1] + 4:.0f}" fill="{color}">{label}</text>')
    axis = f'<path d="M{left} {top}V{height - bottom}H{width - 90}" fill="none" stroke="#8a8378"/>'
    words = (
        f'<text x="{(left + width - 90) / 2:.0f}" y="{height - 8}" text-anchor="middle" fill="#8a8378">steps</text>'
        f'<text transform="translate(22 {height / 2:.0f}) rotate(-90)" text-anchor="middle" fill="#8a8378">loss</text>'
    )
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    head = f'<svg {box} font-family="sans-serif" font-size="14">'
    return f"{head}{axis}{words}{''.join(parts)}</svg>\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Render the figures that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tools.learn_figures", description="Render the figures of Learn.")
    parser.add_argument("figures", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; all by default")
    parser.add_argument("--size", type=int, default=256, help="long side of a picture, px")
    parser.add_argument("--epochs", type=int, default=40, help="of each run")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.figures if name not in FIGURES]:
        parser.error(f"there is no figure {unknown[0]!r}; there are {', '.join(FIGURES)}")
    given.out.mkdir(parents=True, exist_ok=True)
    renderer = Renderer(given.size, given.epochs)
    for name in given.figures or FIGURES:
        for file, data in FIGURES[name](renderer):
            (given.out / file).write_bytes(data)
            print(f"{file}: {len(data) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
