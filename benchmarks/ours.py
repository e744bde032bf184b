"""Our own loop as a racer: as it is shipped, and once more with the yardstick as its objective."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.field import Frame, Loop, Picture, Problem
from benchmarks.formulas import layer_of, style_layers_of
from nst.engine.objective import LiveWeights
from nst.engine.optimize import Step, stylize
from nst.options import StyleOptions
from nst.scales import Scale, schedule


def our_loops(problem: Problem) -> dict[str, Loop]:
    """Ours with the shipped defaults, and ours with the yardstick as its objective."""
    defaults = {"size": problem.size} if problem.coarse else {"size": problem.size, "init": "content"}

    def painting(title: str, weights: dict[str, Any], content_at: Callable[[Scale], float] | None) -> Loop:
        options = StyleOptions(**defaults, **weights)
        rungs = schedule(*problem.content.shape[:2], options)
        work = sum(rung.steps * rung.height * rung.width for rung in rungs) / math.prod(problem.content.shape[:2])
        run = functools.partial(paint, problem, options, content_at=content_at)
        return Loop(title, options.init, run, options.steps if problem.coarse else problem.steps, work)

    return {
        "ours": painting("ours", {}, None),
        "ours-yardstick": painting(
            "ours, yardstick", yardstick_weights(problem), functools.partial(content_weight, problem)
        ),
    }


def paint(
    problem: Problem, options: StyleOptions, content_at: Callable[[Scale], float] | None = None
) -> Iterator[Frame]:
    """Our own loop; `content_at` gives the content weight on a scale, in force from the scale's second step on."""
    live = LiveWeights.of(options, problem.extractor.architecture.name)
    for step in stylize(problem.content, problem.style, options, live=live, extractor=problem.extractor):
        if content_at:
            live.content = content_at(step.scale)
        yield Frame(step.scale.height, step.scale.width, functools.partial(_image_of, step))


def _image_of(step: Step) -> Picture:
    return step.image


def yardstick_weights(problem: Problem) -> dict[str, Any]:
    """Options that make our objective 5 MSE + sum of 100 D / (N^4 M^2), as nearly as options can.

    The margins that our loop paints and crops count too, and the content weight is that of the full size.
    """
    architecture = problem.extractor.architecture
    channels = {layer: shape[3] for layer, shape in architecture.shapes().items()}
    styles = style_layers_of(architecture.name)
    return {
        "normalisation": "gatys",  # 1/2 sum (F - P)^2 and D / (4 N^2 M^2), both with VGG's loudness
        "content_layers": ((layer_of(architecture.name, "relu4_2"), 1.0),),
        "content_weight": content_weight(problem, Scale(*problem.content.shape[:2], steps=1)),
        "style_layers": tuple((layer, 400.0 / channels[layer] ** 2) for layer in styles),
        "style_weight": 1.0,
        "tv_weight": 0.0,
    }


def content_weight(problem: Problem, scale: Scale) -> float:
    """5 / (N M) over the 1/2 of Gatys' formula, at the size of `scale`."""
    architecture = problem.extractor.architecture
    layer = layer_of(architecture.name, "relu4_2")
    source = architecture.heads[layer][0] if layer in architecture.heads else layer
    shrunk = 2 ** (int(source.removeprefix("block").split("_")[0]) - 1)
    positions = -(-scale.height // shrunk) * -(-scale.width // shrunk)
    return 10.0 / (architecture.shapes()[layer][3] * positions)
