"""The drawings of the sample pictures, by the names that nst/pictures/samples.py declares. NumPy and Pillow only."""

from collections.abc import Callable

from PIL import Image

from tools.samples.gold import golden_tree
from tools.samples.harbour import harbour
from tools.samples.landscape import alpine_lake
from tools.samples.marble import marble_head
from tools.samples.oils import lily_pond, night_wind, red_evening
from tools.samples.owl import owl
from tools.samples.papers import castle_etching, poppy_washes
from tools.samples.pieces import guitar_planes, rose_window
from tools.samples.points import river_points
from tools.samples.still_life import still_life
from tools.samples.woodcut import great_swell

DRAWINGS: dict[str, Callable[[], Image.Image]] = {  # each returns the same RGB picture every time, in a few seconds
    "harbour": harbour,
    "lake": alpine_lake,
    "owl": owl,
    "marble": marble_head,
    "still-life": still_life,
    "night-wind": night_wind,
    "great-swell": great_swell,
    "rose-window": rose_window,
    "lily-pond": lily_pond,
    "red-evening": red_evening,
    "golden-tree": golden_tree,
    "river-points": river_points,
    "guitar-planes": guitar_planes,
    "castle-etching": castle_etching,
    "poppy-washes": poppy_washes,
}
