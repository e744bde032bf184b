"""Neural style transfer by optimization: `stylize` yields one `Step` per step of an optimizer. To stop, stop iterating.

The picture is optimized coarse to fine over the scales of a schedule (nst/runs/schedule.py). Weights are read before
each step, so a caller may change them between two steps.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from nst.engine.networks.choose_extractor import choose_extractor
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.checkpoint import Checkpoint
from nst.engine.optimization.loop import Loop
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.scale_objective import OptimizationInput
from nst.engine.optimization.start import start_of_run
from nst.engine.optimization.step import Step
from nst.errors import InputError
from nst.options.picture_roles import MOST_STYLES, STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures.colors import match_colors
from nst.pictures.images import check_array, check_plane
from nst.runs.estimates import NETWORK_COSTS, PlannedRun
from nst.runs.memory_budget import budget
from nst.runs.schedule import Scale


def stylize(
    content: np.ndarray,
    style: np.ndarray | Sequence[np.ndarray],
    options: StyleOptions | None = None,
    *,
    init: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    live: LiveWeights | None = None,
    extractor: Extractor | None = None,
    tile: int | Literal["auto"] | None = "auto",
    resume: Checkpoint | None = None,
    scales: tuple[Scale, ...] | None = None,
) -> Iterator[Step]:
    """Paint `content` in the manner of `style` (Gatys, Ecker and Bethge 2016), one step at a time.

    Args:
        content: [H, W, 3] float32 in 0..1; the result has its aspect ratio, with the long side of `options.size`.
        style: [h, w, 3] float32 in 0..1, any size; or one to four such paintings, which `options.style_mix` weighs.
        options: settings; None means the defaults.
        init: the picture to start from when `options.init` is "image", [h, w, 3] float32 in 0..1.
        mask: [h, w] float32 in 0..1, stretched over the content; `options.mask_use` says what it does.
        live: weights that the caller may change between two steps; None means those of `options`.
        extractor: a loaded network; None loads the one that `options` name. There, "auto" is VGG19 wherever it is
            installed, because the speed of the machine is not measured here.
        tile: the side of the tiles that pictures are evaluated by, px, one of `TILES` of nst/runs/estimates.py; None
            evaluates them whole, "auto" does as the free memory allows.
        resume: a checkpoint of a run of the same pictures and options; the run continues after its step.
        scales: a schedule in place of that of `options` or `resume`, which is run to its end even if `options.epochs`
            is "auto".

    Yields:
        Steps, the first of them the start: step 0, or that of `resume`. After Diverged, the picture of the
        last step but one is the last good one: the loss that ended the run was that of the last step's picture.

    Raises:
        InputError: `init` is missing, a picture is not such an array, there are none or too many paintings, or `resume`
            is of another optimizer.
        OptionError: the extractor lacks a layer of `options`, `style_mix` or `style_scales` has another number of
            values than there are paintings, or `mask_use` does not fit the pictures.
        WeightsError: the network's weights are missing.
        OutOfMemory: `tile` is "auto", and the run does not fit the free memory, not even by tiles.
        Diverged: the loss is no finite number any more, or grew out of bounds.
    """
    options = options or StyleOptions()
    styles = tuple(style) if isinstance(style, list | tuple) else (style,)
    _check_pictures(content, styles, init, mask)
    options.check_pictures(len(styles), masked=mask is not None)
    extractor = extractor or choose_extractor(options.extractor, options.pooling, options.precision)[0]
    network = extractor.architecture.name
    live = live or LiveWeights.of(options, network, len(styles))
    if tile == "auto":
        height, width, _ = content.shape
        sides, masked = [each.shape[:2] for each in styles], mask is not None
        planned = PlannedRun(height, width, options, network, extractor.dtype, sides, masked)
        tile = planned.estimate(budget=budget()).tile if network in NETWORK_COSTS else None
    if options.keep_colors:
        styles = tuple(match_colors(each, content) for each in styles)
    inputs = OptimizationInput(
        content=content, styles=styles, mask=mask, options=options, extractor=extractor, tile=tile
    )
    yield from Loop(inputs, live, resume or start_of_run(content, styles[0], init, options), scales).steps()


def _check_pictures(
    content: np.ndarray, styles: Sequence[np.ndarray], init: np.ndarray | None, mask: np.ndarray | None
) -> None:
    """Raise InputError unless these are arrays as `stylize` takes them, and as many paintings as it may have."""
    if not 1 <= len(styles) <= MOST_STYLES:
        raise InputError(f"`style` must be one to {MOST_STYLES} paintings, got {len(styles)}")
    for name, picture in (("content", content), *zip(STYLE_ROLES, styles, strict=False)):
        check_array(picture, name)
    if init is not None:
        check_array(init, "init")
    if mask is not None:
        check_plane(mask, "mask")
