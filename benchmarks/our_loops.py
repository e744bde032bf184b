"""Our own loop as a racer: as it is shipped, and once more with the yardstick as its objective."""

import functools
import math
from collections.abc import Iterator
from typing import Any

from benchmarks.formulas import layer_of, style_layers_of
from benchmarks.published_loops import Frame, Loop, Picture, Problem
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.step import Step
from nst.options.style_options import StyleOptions
from nst.runs.schedule import Scale, schedule


def our_loops(problem: Problem) -> dict[str, Loop]:
    """Ours with the shipped defaults, and ours with the yardstick as its objective."""
    defaults = {"size": problem.size} if problem.coarse else {"size": problem.size, "init": "content"}

    def painting(title: str, weights: dict[str, Any]) -> Loop:
        options = StyleOptions(**defaults, **weights)
        rungs = schedule(*problem.content.shape[:2], options)
        work = full_size_steps(rungs)
        run = functools.partial(paint, problem, options)
        return Loop(title, options.init, run, options.steps if problem.coarse else problem.steps, work)

    return {"ours": painting("ours", {}), "ours-yardstick": painting("ours, yardstick", yardstick_weights(problem))}


def paint(problem: Problem, options: StyleOptions) -> Iterator[Frame]:
    """Our own loop."""
    for step in stylize(problem.content, problem.style, options, extractor=problem.extractor):
        yield Frame(step.scale.height, step.scale.width, functools.partial(_image_of, step))


def full_size_steps(scales: tuple[Scale, ...]) -> float:
    """What the steps of all scales cost, in steps of the last."""
    return sum(scale.steps * scale.height * scale.width for scale in scales) / (scales[-1].height * scales[-1].width)


def _image_of(step: Step) -> Picture:
    return step.image


def yardstick_weights(problem: Problem) -> dict[str, Any]:
    """Options that make our objective 5 MSE + sum of 100 D / (N^4 M^2), as nearly as options can.

    Only nearly: positions at the edge see the margins that our loop paints there and crops, and its content weighs more
    on coarse scales.
    """
    architecture = problem.extractor.architecture
    styles = style_layers_of(architecture.name)
    return {
        "normalization": "gatys",  # 1/2 sum (F - P)^2 and D / (4 N^2 M^2)
        "content_layers": ((layer_of(architecture.name, "relu4_2"), 1.0),),
        "content_weight": content_weight(problem),
        "style_layers": tuple((layer, 400.0 / architecture.channels(layer) ** 2) for layer in styles),
        "style_weight": 1.0,
        "tv_weight": 0.0,
        "neighbor_weight": 0.0,
    }


def content_weight(problem: Problem) -> float:
    """5 / (N M) over the 1/2 of Gatys' formula."""
    architecture = problem.extractor.architecture
    layer = layer_of(architecture.name, "relu4_2")
    stride = architecture.stride(layer)
    positions = math.prod(-(-side // stride) for side in problem.content.shape[:2])
    return 10.0 / (architecture.channels(layer) * positions)
