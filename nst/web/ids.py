"""Component ids, so that a typo is an ImportError or an AttributeError."""

# Ids that others may rely on.
EPOCHS = "epochs"
START = "start"
STOP = "stop"
IMAGE = "image-graph"
LOSS = "loss-graph"
PROGRESS = "progress"
STATUS = "status"
DOWNLOAD = "download"

# The page's own.
URL = "url"
TICK = "tick"  # the clock of the poll
ASK = "ask"  # number of the poll that goes out
ANSWERED = "answered"  # number of the poll that came back
CURSOR = "cursor"  # what the page has seen: {"run", "n", "studio"}
FRAMES = "frames"  # addresses of frames for the player
EASEL = "easel"
NUMBERS = "numbers"
LEGEND = "legend"
STUDIO = "studio"  # worker, networks and downloads as they stand, and what paints
DRAFT = "draft"  # counts changes of the form, a pause after the last of each burst
ESTIMATE = "estimate"
PAINTER = "painter"
WORKER = "worker"
FETCH = "fetch"
FETCHING = "fetching"
FETCH_BAR = "fetch-bar"
FETCH_TEXT = "fetch-text"
TOAST = "toast"
THEME = "theme"
SWAP = "swap"
SURPRISE = "surprise"
DICE = "dice"
OWN_START = "own-start"  # where the third picture is chosen


def upload(role: str) -> str:
    """The drop zone of "content", "style" or "init"."""
    return f"{role}-upload"


def choice(role: str) -> str:
    """What is chosen for a role: {"ref", "title"} or None."""
    return f"{role}-choice"


def preview(role: str) -> str:
    """The chosen picture, small."""
    return f"{role}-preview"


def caption(role: str) -> str:
    """The chosen picture's title."""
    return f"{role}-caption"


def error(field: str) -> str:
    """The line beside a field that says what is wrong with it; `field` is a role, or the id of a box."""
    return f"{field}-error"


def hint(name: str) -> str:
    """The line under an option's control that says what it does."""
    return f"{name}-hint"


def value(name: str) -> str:
    """The box that holds an option's value."""
    return f"option-{name}"


def word(name: str) -> str:
    """The switch that puts a word in the place of an option's number."""
    return f"{name}-word"


def slider(name: str) -> str:
    """The slider of an option that has one, beside its box; that of the epochs is `EPOCHS`."""
    return name


def sample(role: str, name: object) -> dict[str, object]:
    """The button of a sample; `name` may be a wildcard."""
    return {"role": role, "sample": name}
