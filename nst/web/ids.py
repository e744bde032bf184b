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
FORECAST = "forecast"  # of the form's settings: {"asked", "extractor", "why"}; None as long as there is none
PAINTER = "painter"
WORKER = "worker"
FETCH = "fetch"
FETCHING = "fetching"
FETCH_BAR = "fetch-bar"
FETCH_TEXT = "fetch-text"
CANCEL_FETCH = "cancel-fetch"
TOAST = "toast"
THEME = "theme"
SWAP = "swap"
SURPRISE = "surprise"
DICE = "dice"
OWN_START = "own-start"  # where the third picture is chosen

# A run's course: steered, looked back at, continued, branched.
PAUSE = "pause"
SCRUBBER = "epoch-scrubber"
SCRUBBED = "scrubbed"  # which epoch is shown
MARK = "mark"
HISTORY = "history"
LINEAGE = "lineage"
CONTINUE = "continue"
TO_EPOCH = "to-epoch"
BRANCH = "branch"
STEER = "steer"
STEER_FIELDS = "steer-fields"
STEER_HINT = "steer-hint"
STEER_WISH = "steer-wish"  # what the sliders were moved to: {name: text}
STEER_MOVED = "steer-moved"  # all that was moved since the card was built: {name: text}
STEER_ERROR = "steer-error"
MARKS = "marks"  # what was steered, in words
SETTINGS_SAID = "settings-said"
FILM_FORMAT = "film-format"
FILM = "film"
FILM_BAR = "film-bar"
FILM_LINK = "film-link"
SETTINGS = "settings"  # takes a result, for the settings that are in it

# The way between the rooms, and the gallery's.
ROOM_STUDIO = "room-studio"
ROOM_INSTANT = "room-instant"
ROOM_GALLERY = "room-gallery"
TO_STUDIO = "to-studio"
TO_INSTANT = "to-instant"
TO_GALLERY = "to-gallery"
ROOMS = {TO_STUDIO: ROOM_STUDIO, TO_INSTANT: ROOM_INSTANT, TO_GALLERY: ROOM_GALLERY}
WORDS = "words"  # what is searched for
OF_STATE = "of-state"
OF_FAVOURITES = "of-favourites"
LOOK = "look"  # number of the look that goes out
LOOKED = "looked"  # number of the look that came back
WALL = "wall"
HUNG = "hung"  # marks of the cards on the wall
FOUND = "found"
NONE_YET = "none-yet"
NONE_FOUND = "none-found"
MORE = "more"
USED = "used"
USED_TEXT = "used-text"
WISH = "wish"  # what a card's button asks for: {"do", "run", "n"}
GRANTED = "granted"  # the wish that was answered, "failed" if it could not be fulfilled
BIN = "bin"
BIN_TEXT = "bin-text"
UNDO = "undo"
FORGET = "forget"

# The instant room's.
STYLES = "styles"  # [{"name", "title", "network"}] of the wall
STYLE_WISH = "style-wish"  # what is to be done with a style: {"do", "name", "title", "n"}
STYLE_WALL = "style-wall"
STYLE_IMPORT = "style-import"
PREVIEWS_ASK = "previews-ask"  # {"n", "ref"} of the picture whose previews are wanted
PREVIEWS = "previews"
PAINT_ASK = "paint-ask"  # {"n", "ref", "title", "mix", "values"} of the picture that is wanted
PAINTED = "painted"
SHOWN = "shown"
INSTANT_STAGE = "instant-stage"
INSTANT_SAID = "instant-said"
INSTANT_WRONG = "instant-wrong"
CANVAS = "instant-canvas"
ORIGINAL = "instant-original"
RESULT = "instant-result"
CUT = "instant-cut"  # how much of the original is shown over the result, %
RESULT_TITLE = "instant-title"
RESULT_NUMBERS = "instant-numbers"
RESULT_DOWNLOAD = "instant-download"
REFINE = "refine"
NOTE = "note"
MIX = "mix"


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


def card(run_id: str) -> str:
    """A run on the gallery's wall."""
    return f"card-{run_id}"


def steer(name: object, part: str, scale: object) -> dict[str, object]:
    """The "slider" or the "box" of a live option, or of "style_layers.<layer>"; `scale` is "log" or "linear"."""
    return {"steer": name, "part": part, "scale": scale}


def mixed(n: int, part: str) -> str:
    """The "slot", "name", "share" or "weight" of the mix's style number `n`."""
    return f"mix-{part}-{n}"


def style(name: str) -> str:
    """A style on the instant room's wall."""
    return f"hung-{name}"  # no other id begins so, whatever a style is called
