"""Starts of a run, as checkpoints: noise, a picture, or a frame of an earlier run."""

import numpy as np

from nst.engine.optimization.canvas import add_margins, to_canvas
from nst.engine.optimization.checkpoint import Checkpoint
from nst.errors import InputError
from nst.options.style_options import StyleOptions
from nst.runs.schedule import Scale, rejoin, schedule

NOISE_DEVIATION = 0.1  # of the noise at the start; near gray, because what is far from it stays as grain


def start_of_run(content: np.ndarray, style: np.ndarray, init: np.ndarray | None, options: StyleOptions) -> Checkpoint:
    """Step 0 of a run: what `options.init` names, at the size of the first scale.

    Args:
        content, style: [H, W, 3] float32 in 0..1.
        init: the picture for `options.init` "image", [H, W, 3] float32 in 0..1.
        options: size, steps, seed and `init` are used.

    Raises:
        InputError: `options.init` is "image" and `init` is None.
    """
    scales = schedule(content.shape[0], content.shape[1], options)
    height, width = scales[0].height, scales[0].width
    if options.init == "noise":
        noise = np.random.default_rng(options.seed).normal(0.5, NOISE_DEVIATION, (height, width, 3))
        picture = np.clip(noise, 0, 1).astype(np.float32)
    else:
        given = {"content": content, "style": style, "image": init}[options.init]
        if given is None:
            raise InputError("`init` is image, but no picture to start from was given")
        picture = _crop_to_aspect_ratio(given, height, width)
    return Checkpoint(step=0, scales=scales, canvas=to_canvas(picture, height, width).numpy())


def start_from_frame(frame: np.ndarray, step: int, scales: tuple[Scale, ...]) -> Checkpoint:
    """A checkpoint from the frame that a run of schedule `scales` showed after `step`.

    Args:
        frame: [h, w, 3] float32 in 0..1, of the size of one of the scales.
        step: of the run.
        scales: the run's schedule.

    Raises:
        InputError: no scale has the size of the frame.
    """
    scales = rejoin(scales, step, *frame.shape[:2])
    return Checkpoint(step=step, scales=scales, canvas=add_margins(frame).numpy())


def _crop_to_aspect_ratio(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The largest part of `picture` around its center with the aspect ratio of `height` x `width`."""
    rows, columns = picture.shape[:2]
    factor = min(rows / height, columns / width)
    rows_kept, columns_kept = max(1, round(height * factor)), max(1, round(width * factor))
    top, left = (rows - rows_kept) // 2, (columns - columns_kept) // 2
    return picture[top : top + rows_kept, left : left + columns_kept]
