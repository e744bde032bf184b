"""The verdict on a picture: every measure of it against its content and its style, and the controls.

All pictures are brought to one long side; the result takes the content's shape there.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.quality.features import FeatureJudge, content_error, patch_distances, style_error
from benchmarks.quality.pairs import Pair
from benchmarks.quality.pixels import foreign_tint, grain, lab, palette_distance, structural_similarity
from nst.errors import InputError
from nst.pictures.images import fit, read_file, resize

Picture = NDArray[np.float32]
Verdict = dict[str, float | None]  # a measure's name -> its figure, None where its network is not there

UNTOUCHED, PASTED = "untouched photo", "pasted style"
CONTROLS = (UNTOUCHED, PASTED)
SHORTEST = 16  # px; the networks halve a picture four times, and SSIM's window has 11
SAME_SHAPE = 0.03  # share by which rounding may change an aspect ratio

MEASURES = {
    "vgg style": "VGG19's relative Gram error, mean of relu1_1 to relu5_1; 0 is the style itself",
    "vgg content": "VGG19's relative squared error at relu4_2; 0 is the content itself",
    "sq style": "the same by SqueezeNet, which nothing here paints with",
    "sq content": "the same by SqueezeNet, at fire5",
    "palette": "sliced Wasserstein distance of the colors to the style's, in L*a*b*",
    "foreign": "5 % of the pixels are further than this from any color of content or style, in L*a*b*",
    "grain": "fine texture in calm places over the most that content or style have in theirs",
    "ssim": "structural similarity to the content's lightness; 1 is the content itself",
    "patch": "mean distance of its places to the style's nearest, relu3_1",
    "missed": "mean distance of the style's places to its nearest: high where it uses little of the style",
}


class PairJudge:
    """The judge of pictures painted from one pair.

    Args:
        pair: its files are read. Raises ImageError.
        side: px of the long side that all are brought to.
        judges: networks that look, by the beginnings of their measures' names: "vgg", "sq", both or none.
    """

    def __init__(self, pair: Pair, side: int, judges: Mapping[str, FeatureJudge]) -> None:
        content, style = read_file(pair.content).rgb, read_file(pair.style).rgb
        self._aspect = content.shape[1] / content.shape[0]
        self._shape = fit(*content.shape[:2], side)
        if min(self._shape) < SHORTEST:
            rule = f"{pair.name!r} must be at least {SHORTEST} px high and wide where it is judged"
            raise InputError(f"{rule}, got {self._shape[1]} x {self._shape[0]}; choose a larger `--judge-size`")
        content = resize(content, *self._shape)
        self.controls = {UNTOUCHED: content, PASTED: pasted(style, *self._shape)}
        style = resize(style, *fit(*style.shape[:2], side))
        self._colors = lab(content), lab(style)
        self._judges = judges
        self._seen = {name: (judge.look(content), judge.look(style)) for name, judge in judges.items()}

    def __call__(self, picture: Picture, name: str) -> Verdict:
        """The figures of `picture` [h, w, 3] in 0..1, any size. Raises InputError if its shape is not the content's."""
        check_shape(picture, name, self._aspect)
        picture = resize(picture, *self._shape)
        colors, (content, style) = lab(picture), self._colors
        found: Verdict = dict.fromkeys(MEASURES)
        for network, judge in self._judges.items():
            seen, (seen_content, seen_style) = judge.look(picture), self._seen[network]
            found[f"{network} style"] = style_error(seen, seen_style)
            found[f"{network} content"] = content_error(seen, seen_content)
            if network == "vgg":
                found["patch"], found["missed"] = patch_distances(seen.patches, seen_style.patches)
        return found | {
            "palette": palette_distance(colors, style),
            "foreign": foreign_tint(colors, content, style),
            "grain": grain(colors, content, style),
            "ssim": structural_similarity(colors, content),
        }


def check_shape(picture: Picture, name: str, aspect: float) -> None:
    """Raise InputError unless `picture` has its content's `aspect`, width over height: else it is another cut of it."""
    height, width = picture.shape[:2]
    if abs(np.log(width / height / aspect)) > SAME_SHAPE:
        rule = f"{name!r} must have its content's aspect ratio, {aspect:.3f}"
        raise InputError(f"{rule}, got {width / height:.3f} ({width} x {height} px)")


def pasted(style: Picture, height: int, width: int) -> Picture:
    """The middle of `style`, cut to the shape of `height` x `width` px and brought to that size, in 8 bits."""
    picture = Image.fromarray(np.rint(255 * style).astype(np.uint8))
    return np.asarray(ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS), np.float32) / 255
