"""Neural style transfer by optimization: `stylize` yields one `Step` per step of an optimizer. To stop, stop iterating.

The picture is optimized coarse to fine over the scales of a schedule (nst/runs/schedule.py). Weights are read before
each step, so a caller may change them between two steps.
"""

from collections.abc import Iterator

import numpy as np

from nst.engine.networks.choose_extractor import choose_extractor
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.checkpoint import Checkpoint
from nst.engine.optimization.loop import Loop
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.scale_objective import Problem, tile_side
from nst.engine.optimization.start import start_of_run
from nst.engine.optimization.step import Step
from nst.options.style_options import StyleOptions
from nst.pictures.colors import match_colors
from nst.pictures.images import check_array
from nst.runs.schedule import Scale


def stylize(
    content: np.ndarray,
    style: np.ndarray,
    options: StyleOptions | None = None,
    *,
    init: np.ndarray | None = None,
    live: LiveWeights | None = None,
    extractor: Extractor | None = None,
    budget: int | None = None,
    resume: Checkpoint | None = None,
    scales: tuple[Scale, ...] | None = None,
) -> Iterator[Step]:
    """Paint `content` in the manner of `style` (Gatys, Ecker and Bethge 2016), one step at a time.

    Args:
        content: [H, W, 3] float32 in 0..1; the result has its aspect ratio, with the long side of `options.size`.
        style: [h, w, 3] float32 in 0..1, any size.
        options: settings; None means the defaults.
        init: the picture to start from when `options.init` is "image", [h, w, 3] float32 in 0..1.
        live: weights that the caller may change between two steps; None means those of `options`.
        extractor: a loaded network; None loads the one that `options` name. There, "auto" is VGG19 wherever it is
            installed, because the speed of the machine is not measured here.
        budget: bytes of memory that this process may take in all; None is most of what is free. A run that needs more
            is painted by tiles.
        resume: a checkpoint of a run of the same pictures and options; the run continues after its step.
        scales: a schedule in place of that of `options` or `resume`, which is run to its end even if `options.epochs`
            is "auto".

    Yields:
        Steps, the first of them the start: step 0, or that of `resume`. After an exception, the last one yielded holds
        the last good picture.

    Raises:
        InputError: `init` is missing, a picture is not such an array, or `resume` is of another optimizer.
        OptionError: the extractor lacks a layer of `options`. WeightsError: its weights are missing.
        OutOfMemory: the run does not fit `budget`, not even by tiles.
        Diverged: the loss is no finite number any more, or grew out of bounds.
    """
    options = options or StyleOptions()
    for name, picture in (("content", content), ("style", style), ("init", init)):
        if picture is not None:
            check_array(picture, name)
    extractor = extractor or choose_extractor(options.extractor, options.pooling, options.precision)[0]
    live = live or LiveWeights.of(options, extractor.architecture.name)
    tile = tile_side(content.shape[:2], style.shape[:2], options, extractor, budget)
    if options.keep_colors:
        style = match_colors(style, content)
    problem = Problem(content=content, style=style, options=options, extractor=extractor, tile=tile)
    yield from Loop(problem, live, resume or start_of_run(content, style, init, options), scales).steps()
