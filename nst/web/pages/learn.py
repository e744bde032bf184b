"""The Learn page: how a painting comes about, with figures that the program computed from its samples.

`python -m tools.learn_figures` renders the figures into assets/learn. Callback: nst/web/callbacks/navigation.py.
"""

import re
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.urls import thumbnail_url

CONTENT_LAYERS = ("block1_conv1", "block3_conv1", "block4_conv2", "block5_conv1")  # of the figures
STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
FIGURES = "/assets/learn"  # address of the folder
PICTURE_SIDE = 512  # px of the thumbnails of the two samples
DEFAULT_LOSS_WEIGHTS = StyleOptions().weights_before_strength


def layout() -> Component:
    """Return the page, hidden until the address names it, and empty until then."""
    return html.Main(id=ids.PAGE_LEARN, className="learn", hidden=True, tabIndex=-1, **{"aria-label": "Learn"})


def article() -> Component:
    """Return what the page shows."""
    return html.Article([_introduction(), *_losses(), *_control(), *_painting(), _networks(), _further()])


def _text(text: str) -> Component:
    """A paragraph, in which **bold**, *emphasis* and `code` are marked as in Markdown."""
    tags = {"**": html.Strong, "*": html.Em, "`": html.Code}
    parts = re.split(r"(\*\*.+?\*\*|\*.+?\*|`.+?`)", text)
    marks = [next((mark for mark in tags if part.startswith(mark)), "") for part in parts]
    return html.P([tags[mark](part.strip("*`")) if mark else part for mark, part in zip(marks, parts, strict=True)])


def _section(title: str, *parts: Component | str) -> Component:
    """A section; texts become paragraphs."""
    children = [_text(part) if isinstance(part, str) else part for part in parts]
    return html.Section([html.H3(title), *children])


def _pictures(caption: str, pictures: Sequence[tuple[str, str]]) -> Component:
    """A figure of pictures, (file or address, words below it) each."""
    items = [
        html.Div([html.Img(src=file if "/" in file else f"{FIGURES}/{file}", alt=words), html.Span(words)])
        for file, words in pictures
    ]
    return html.Figure([html.Div(items, className="learn-pictures"), html.Figcaption(caption)])


def _introduction() -> Component:
    return html.Section(
        [
            html.H2("How a painting comes about"),
            _text(
                "The studio does not paint strokes. It looks for a picture that a neural network sees as *the same "
                "things* as in your photograph and *the same texture* as in your painting. It starts from noise and "
                "changes every pixel a little, again and again, so that both differences become smaller. This is "
                "neural style transfer as Gatys, Ecker and Bethge described it in 2016."
            ),
            _pictures(
                "What is in the result comes from the content, how it is painted from the style.",
                [
                    (thumbnail_url("samples/owl", PICTURE_SIDE), "content"),
                    (thumbnail_url("samples/night-wind", PICTURE_SIDE), "style"),
                    ("painting.jpg", "result"),
                ],
            ),
        ]
    )


def _losses() -> list[Component]:
    return [_content_loss(), _style_loss(), _smoothness(), _neighbors(), _weights()]


def _content_loss() -> Component:
    return _section(
        "Content: what is where",
        "The network turns a picture into layers of activations. Early layers respond to edges and colors, later "
        "ones to larger forms. The **content loss** compares the activations of the result with those of the "
        "photograph, position by position: the sum of the squared differences, divided by the sum of the squares "
        "of the photograph's own. The photograph has taken on the painting's colors by then, so that content and "
        "style do not pull a color two ways.",
        _pictures(
            "Pictures found from noise with the content loss of one layer alone. An early layer "
            "fixes every pixel; a late one keeps forms and leaves colors and details free.",
            [(f"content-{layer}.jpg", layer) for layer in CONTENT_LAYERS],
        ),
        "The studio compares on `block3_conv1`: late enough to leave room for strokes, early enough to keep a face "
        "whole.",
    )


def _style_loss() -> Component:
    return _section(
        "Style: which patterns occur together",
        "A texture is not at a place, so places must not count. A **Gram matrix** has one number for each pair of "
        "channels of a layer: how strongly both respond at the same positions, averaged over the whole picture. "
        "Where something is drops out; which colors, edges and strokes go together stays. The **style loss** is "
        "the sum of the squared differences of the two Gram matrices, divided by that of the painting's own.",
        _pictures(
            "The Gram matrix of one layer as a heat map, a row and a column for each channel. The result's has "
            "become like the painting's.",
            [
                ("gram-content.png", "photograph"),
                ("gram-painting.png", "result"),
                ("gram-style.png", "painting"),
            ],
        ),
        _pictures(
            "Pictures found from noise with the style loss of one layer alone: the deeper the "
            "layer, the larger the patterns.",
            [(f"style-{layer}.jpg", layer) for layer in STYLE_LAYERS],
        ),
    )


def _smoothness() -> Component:
    return _section(
        "Smoothness: total variation",
        "The third part is small: the mean squared difference of neighboring pixels. It removes grain that the "
        "network does not mind. Too much of it makes the picture flat.",
        _pictures(
            "The weight of total variation.",
            [("tv_weight-0.jpg", "0"), ("tv_weight-12.jpg", "12, the default"), ("tv_weight-200.jpg", "200")],
        ),
    )


def _neighbors() -> Component:
    return _section(
        "Neighbors: each stroke in its place",
        "Gram matrices know how often a stroke occurs, but not where, so a star may land on a coat. The fourth "
        "part says where: every place of the photograph has its **nearest neighbor**, the place of the painting "
        "that the network finds most like it, and the result is drawn to that one there. Strokes follow fur and "
        "edges, and a field of one color stays whole (Kolkin and others, 2022).",
        _pictures(
            "The weight of the neighbors.",
            [
                ("neighbor_weight-0.jpg", "0"),
                ("neighbor_weight-4.jpg", "4, the default"),
                ("neighbor_weight-32.jpg", "32"),
            ],
        ),
    )


def _weights() -> Component:
    content, style, tv, neighbors = (f"{weight:g}" for weight in DEFAULT_LOSS_WEIGHTS.values())
    return _section(
        "What the weights do",
        "The curves show the sum: `content weight × content loss + style weight × strength × style loss + "
        "smoothness × total variation + neighbor weight × strength × neighbors`. The weights are "
        f"{content}, {style}, {tv} and {neighbors} unless you change them. Only "
        "their ratio decides what the picture looks like, and **strength** is the handle for it: 10 is ten times "
        "the style. Because each loss is divided by the size of its target, the same strength looks alike at every "
        "size and on every network.",
        _pictures(
            "The same pair with three strengths.",
            [("strength-0.1.jpg", "0.1"), ("strength-1.jpg", "1, the default"), ("strength-10.jpg", "10")],
        ),
        html.P(
            [
                "Try it on pictures of your own: ",
                html.A("Variations", href="/vary", className="in-app"),
                " paints a grid of quick pictures with several values of any setting.",
            ]
        ),
    )


def _control() -> list[Component]:
    return [
        _section(
            "Style scale: how large the strokes are",
            "A layer sees a window of so many pixels, so a stroke comes out as large as it is in the picture of the "
            "painting that the network is given. **Style scale** sets the size of that picture: with 1 its long side "
            "is that of the result, with 0.5 half of it, and so are the strokes.",
        ),
        _section(
            "Several paintings: one style of them all",
            "Up to four paintings can be mixed. Each has its own Gram matrices, and the result is drawn to their "
            "**weighted mean**; its neighbors are mixed in the same shares. So all of the picture has one style that "
            "is between the paintings, not one here and another one there. Each may have its own style scale.",
        ),
        _section(
            "Masks: where the style goes",
            "Gram matrices do not know places, but they can be taken of a part of the picture. A **guided Gram "
            "matrix** weighs each position by how white the mask is there (Gatys and others, 2017). *Protect* keeps "
            "the photograph where the mask is white, and confines the style to the rest. With *two paintings* the "
            "white part and the black part have a Gram matrix each, and learn from one painting each. With *strength* "
            "the style counts as much as the mask is white.",
        ),
    ]


def _painting() -> list[Component]:
    options = StyleOptions()
    return [
        _section(
            "Epochs and scales",
            f"A **step** changes all pixels once. An **epoch** is {options.steps_per_epoch} steps, one frame and one "
            "point on the curves. The run begins with a small picture, because large forms cost almost nothing there, "
            "and doubles its size up to the one you chose. Each time the photograph's finer details are added.",
            _pictures(
                "The last picture of each scale of a run.",
                [("scale-1.jpg", "64 px"), ("scale-2.jpg", "128 px"), ("scale-3.jpg", "256 px")],
            ),
            "That is why the curves **step** where a scale begins, which a vertical line marks there: the larger "
            "picture has details that were never compared before, so its losses are other numbers. Besides, content "
            "and neighbors weigh 24 times and smoothness five times more on the first scale than on the last, to fix "
            "forms and light while they are cheap. Compare losses within a scale, not across.",
        ),
        _section(
            "L-BFGS or Adam",
            "Both follow the gradient: the direction in which each pixel lowers the loss. **Adam** takes steps of "
            "about the same length. **L-BFGS** remembers how the gradient changed over its last steps and so "
            "guesses where the bottom of the valley is. It needs fewer steps for the same loss and is the default; "
            "Adam follows more smoothly when you steer.",
            _pictures(
                "Loss against steps of the same run, on one scale. Lower is better.",
                [("optimizers.svg", "L-BFGS and Adam")],
            ),
        ),
    ]


def _networks() -> Component:
    return _section(
        "VGG19 and the built-in network",
        "The network never paints; it only compares. **VGG19** was trained at Oxford in 2014 to name what is on "
        "photographs, and its layers turned out to describe texture very well. It is a download of 80 MB. The "
        "**built-in network** is VGG19 with its kernels replaced by products of smaller ones: the same layers from "
        "4 MB and under a fifth of the arithmetic, a little less exact. It is there at once, and quicker. All figures "
        "on this page are from the built-in network.",
    )


def _further() -> Component:
    return _section(
        "Further",
        "L. A. Gatys, A. S. Ecker, M. Bethge: *Image Style Transfer Using Convolutional Neural Networks*, CVPR 2016. "
        "J. Johnson, A. Alahi, L. Fei-Fei: *Perceptual Losses for Real-Time Style Transfer*, ECCV 2016, for what the "
        "page Instant does. K. Simonyan, A. Zisserman: *Very Deep Convolutional Networks*, 2014, for VGG19. "
        "L. A. Gatys and others: *Controlling Perceptual Factors in Neural Style Transfer*, CVPR 2017, for masks and "
        "style scale. N. Kolkin and others: *Neural Neighbor Style Transfer*, 2022, for the neighbors.",
    )
