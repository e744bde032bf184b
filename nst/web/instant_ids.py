"""Ids of the components of the Instant page. As those in `ids.py` they do not change."""

STYLES = "styles"  # [{"name", "title", "network", "picture"}] of the grid; the name of a painting is its reference
STYLE_ACTION = "style-wish"  # requested for a style: {"do", "name", "title", "n", "paintings", "picture"}
STYLE_GRID = "style-wall"
STYLE_IMPORT = "style-import"
STYLES_SENT = "styles-sent"  # [{"ref", "title"}] of paintings that were stored; [] after a style file
STYLES_PROGRESS = "styles-progress"  # of sending them
PAINTING_UPLOAD = "painting-upload"  # the drop zone of paintings whose styles are taken without training
PREVIEWS_REQUEST = "previews-ask"  # {"n", "page", "key", "ref", "styles", "values"}: previews of that picture
PREVIEWS = "previews"
RESULT_REQUEST = "paint-ask"  # {"n", "page", "ref", "title", "mix", "values"}: a result of that picture
RESULT_ANSWER = "painted"
SHOWN_RESULT = "shown"
KEPT_RESULT = "kept"  # {"key"} of the result that was kept last
RESULT_PANEL = "instant-stage"
INSTANT_HINT = "instant-said"
INSTANT_ERROR = "instant-wrong"
COMPARISON = "instant-canvas"
ORIGINAL = "instant-original"
RESULT = "instant-result"
COMPARISON_SLIDER = "instant-cut"  # how much of the original is shown over the result, %
RESULT_TITLE = "instant-title"
RESULT_NUMBERS = "instant-numbers"
KEEP_RESULT = "keep-result"
RESULT_DOWNLOAD = "instant-download"
REFINE = "refine"
NOTE = "note"
MIX = "mix"


def mix(n: int, part: str) -> str:
    """The "slot", "name", "share" or "weight" of style number `n` in the mix."""
    return f"mix-{part}-{n}"


def style_card(name: str) -> str:
    """The card of a style on the Instant page."""
    return f"hung-{name}"  # no other id has this prefix, so any name of a style is safe
