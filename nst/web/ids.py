"""Component ids. A typo in a name is an ImportError or an AttributeError.

The ids themselves are part of the page's interface and do not change; names of constants say what a component is.
"""

# Ids that others may rely on.
START = "start"
STOP = "stop"
IMAGE = "image-graph"
LOSS = "loss-graph"
PROGRESS = "progress"
STATUS = "status"
DOWNLOAD = "download"

# The Studio page.
URL = "url"
START_REQUEST = "start-request"  # {"number" of the press, "restart": whether it was Restart and not Start}
POLL_REQUEST = "ask"  # number of the poll that is sent
POLL_ANSWER = "answered"  # {"n": number of the poll that was answered, "expecting": whether a change is expected}
POLL_WAKE = "poll-wake"  # set when a request may have changed the run: the page polls at once
CURSOR = "cursor"  # what the browser shows: {"run", "n": number of the last event, "server"}
FRAMES = "frames"  # what the player shows: addresses of frames and of the result
IMAGE_FRAME = "easel"
PHOTOGRAPH = "photograph"  # the content, over the image
PHOTOGRAPH_SLIDER = "photograph-cut"  # how much of it is shown, %
NUMBERS = "numbers"
LEGEND = "legend"
SERVER = "studio"  # state of the worker, the networks and the downloads, and the network of the run
FORM_SOURCE = "form-source"  # query that names what the form is to be filled from, see assets/drafts.js
WRONG_FIELD = "wrong-field"  # why Start was refused: {"id" of its text box, "number" of the press}
FORM_CHANGES = "draft"  # counts changes of the form, once after each burst of them
ESTIMATE = "estimate"
FORECAST = "forecast"  # for the form's settings: {"chosen", "extractor", "why"}; None while there is none
NETWORK = "painter"
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
RANDOM_SEED = "dice"
INIT_CHOOSER = "own-start"
START_PICTURE = "start-picture"  # that a run is to start from, in the place of the painting
START_IMAGE = "start-image"
START_HINT = "start-hint"  # what to do next

# Actions on a run: steer, look at earlier epochs, continue, branch.
PAUSE = "pause"
SCRUBBER = "epoch-scrubber"
SHOWN_EPOCH = "scrubbed"
MARK = "mark"
HISTORY = "history"
LINEAGE = "lineage"
RUN_NAME = "run-name"
RUN_NOTES = "run-notes"
UPSCALE = "upscale"
UPSCALED_SIDE = "upscaled-side"
UPSCALE_FORECAST = "upscale-forecast"  # of painting the result at that side
COPY_RUN_LINK = "copy-run-link"
NOTIFY = "notify"
PRINT_SIZE = "print-size"
PRINT_DPI = "print-dpi"
CONTINUE = "continue"
TO_EPOCH = "to-epoch"
BRANCH = "branch"
STEER = "steer"
STEER_FIELDS = "steer-fields"
STEER_HINT = "steer-hint"
STEER_CHANGES = "steer-wish"  # a request: {"page", "number", "values": {name: text} that the sliders were moved to}
STEER_ANSWER = "steer-answer"  # the number of the last answered request
STEER_MOVED = "steer-moved"  # values that they were moved to since the card was built: {name: text}
STEER_ERROR = "steer-error"
STEERED = "marks"  # the list of earlier changes
SETTINGS_MESSAGE = "settings-said"
TIMELAPSE_FORMAT = "film-format"
TIMELAPSE = "film"
TIMELAPSE_BAR = "film-bar"
TIMELAPSE_LINK = "film-link"
SETTINGS_FILE = "settings-file"  # the stored picture in which settings are looked for: {"ref", "title", "dropped"}
SETTINGS = "settings"  # takes a result file and fills the form with its settings

RESTART = "restart"
ADDED = "added"  # says, to screen readers, that a run joined the queue, which the strip shows
LOOKS = "looks"  # [{option: value}] of the shipped looks
LOOK_NAMES = "look-names"  # of the options that they set
OPTION_NAMES = "option-names"  # of the options of a preset
PRESETS = "presets"  # {name: {option: value}}, kept by the browser
PRESET = "chosen-preset"
PRESET_NAME = "preset-name"
SAVE_PRESET = "save-preset"
DELETE_PRESET = "delete-preset"
APPLY_PRESET = "apply-preset"  # once more
FORM_NOTE = "form-note"  # says that the form is for the next run
STEER_PRODUCT = "steer-product"  # what multiplies what
RUN_QUEUE = "run-queue"  # the runs that are painted or wait
BATCH = "batch"  # the runs that were started together last, see assets/batch.js
BATCH_BAR = "batch-bar"
BATCH_TEXT = "batch-text"
BATCH_LINK = "batch-link"
BATCH_CLOSE = "batch-close"

# What the losses consist of, computed on request.
DIAGNOSE = "diagnose"
DIAGNOSIS = "diagnosis"
DIAGNOSIS_STATE = "diagnosis-state"  # its line
DIAGNOSIS_ANSWER = "diagnosis-answer"  # {"run", "state", "view"}: what the card shows if that run is on the page
RECONSTRUCT_CONTENT = "reconstruct-content"
RECONSTRUCT_STYLE = "reconstruct-style"

# The pages and the links to them.
PAGE_STUDIO = "room-studio"
PAGE_INSTANT = "room-instant"
PAGE_VARY = "room-vary"
PAGE_GALLERY = "room-gallery"
PAGE_LEARN = "room-learn"
PAGE_COMPARE = "room-compare"
LINK_STUDIO = "to-studio"
LINK_INSTANT = "to-instant"
LINK_VARY = "to-vary"
LINK_GALLERY = "to-gallery"
LINK_LEARN = "to-learn"
LINKS = {  # of the header, in the order of assets/navigation.js
    LINK_STUDIO: PAGE_STUDIO,
    LINK_INSTANT: PAGE_INSTANT,
    LINK_VARY: PAGE_VARY,
    LINK_GALLERY: PAGE_GALLERY,
    LINK_LEARN: PAGE_LEARN,
}
PAGES = (*LINKS.values(), PAGE_COMPARE)
LEARN_OPENED = "learn-opened"  # set when the Learn page is shown
COMPARE_REQUEST = "compare-request"  # query of the Compare page, set when it is shown or its address changes

# The Gallery page.
SEARCH = "words"
STATE_FILTER = "of-state"
FAVORITE_FILTER = "of-favourites"
GRID_REQUEST = "look"  # number of the request that is sent
GRID_ANSWER = "looked"  # number of the request that was answered
GRID = "wall"
GRID_VERSIONS = "hung"  # versions of the cards in the grid
FOUND = "found"
NONE_YET = "none-yet"
NONE_FOUND = "none-found"
MORE = "more"
USED = "used"
USED_TEXT = "used-text"
ACTION = "wish"  # requested by a button of a card: {"do", "run", "n"}
ACTION_RESULT = "granted"  # the action that was answered, with "failed" if it failed
CHOSEN_BAR = "chosen"  # names the runs that are chosen to be compared
CHOSEN_TEXT = "chosen-text"
CHOSEN_LINK = "compare-chosen"
CHOSEN_CLEAR = "chosen-clear"
UNDO_BAR = "bin"
UNDO_TEXT = "bin-text"
UNDO = "undo"
CLOSE_UNDO = "forget"

# The Variations page. The grid that it shows is the fragment of the address: /vary#<id>.
VARY_PROPOSALS = "vary-proposals"  # {option: {"values", "help"}}
VARY_PAIR = "vary-pair"
VARY_SUMMARY = "vary-summary"
VARY_START = "vary-start"
VARY_STOP = "vary-stop"
VARY_CHECK = "vary-check"  # counted up when the form is to be checked: its page is shown, or it changed
VARY_REQUEST = "vary-request"  # number of the request that is sent
VARY_ANSWER = "vary-answer"  # {"n": number of the request that was answered, "ended"}
VARY_SHOWN = "vary-shown"  # what the browser shows: [id of the grid, versions of its cells]
VARY_TITLE = "vary-title"
VARY_STATUS = "vary-status"
VARY_GRID = "vary-grid"
VARY_SHEET = "vary-sheet"
VARY_EARLIER = "vary-earlier"
VARY_ACTION = "vary-action"  # requested by a button of a cell: {"do", "run", "n"}
VARY_ACTION_RESULT = "vary-action-result"

# The Compare page.
COMPARED = "compared"
COPY_COMPARED_LINK = "copy-compared-link"
COMPARED_SLIDER = "compared-cut"  # how much of the first picture is shown, %


def upload(role: str) -> str:
    """The drop zone of a chooser; `role` is a key of `CHOOSERS` in components/form/chooser.py."""
    return f"{role}-upload"


def choice(role: str) -> str:
    """The picture chosen for a role: {"ref", "title"}; None at first, False once it was removed."""
    return f"{role}-choice"


def preview(role: str) -> str:
    """The thumbnail of the chosen picture."""
    return f"{role}-preview"


def upload_progress(role: str) -> str:
    """The progress of sending a picture."""
    return f"{role}-progress"


def remark(role: str) -> str:
    """What is said of the chosen picture: how it will look if it is small, or that several were chosen."""
    return f"{role}-remark"


def caption(role: str) -> str:
    """The title of the chosen picture."""
    return f"{role}-caption"


def error(field: str) -> str:
    """The error message beside a field; `field` is a role, or the id of a text box."""
    return f"{field}-error"


def hint(name: str) -> str:
    """The help text under the control of an option."""
    return f"{name}-hint"


def value(name: str) -> str:
    """The control that holds the value of an option."""
    return f"option-{name}"


def word(name: str) -> str:
    """The switch that replaces the number of an option by a word, such as "auto"."""
    return f"{name}-word"


def slider(name: str) -> str:
    """The slider of an option that has one, beside its text box."""
    return name


def look(n: int) -> str:
    """The button of look number `n`."""
    return f"look-{n}"


def sample(role: str, name: object) -> dict[str, object]:
    """The button of a sample; `name` may be a wildcard."""
    return {"role": role, "sample": name}


def run_card(run_id: str) -> str:
    """The card of a run in the gallery."""
    return f"card-{run_id}"


def use_as(role: str) -> str:
    """The link that uses the result of the run as the "content" or "style" of the next."""
    return f"use-as-{role}"


def compare_button(run_id: object) -> dict[str, object]:
    """The button of a card that chooses its run to be compared; `run_id` may be a wildcard."""
    return {"compare": run_id}


def steer(name: object, part: str, scale: object) -> dict[str, object]:
    """The "slider" or the "box" of a live option, or of "style_layers.<layer>"; `scale` is "log" or "linear"."""
    return {"steer": name, "part": part, "scale": scale}


def axis(n: int, part: str) -> str:
    """The "option" or the "values" of axis number `n` of a grid of variations."""
    return f"vary-{part}-{n}"


# Further paintings of the form.
ADD_STYLE = "add-style"
OPEN_STYLES = "open-styles"  # how many choosers of further paintings were opened
STYLE_MIX = "style-mix"


def style_slot(role: str) -> str:
    """The chooser of a further painting, with its button."""
    return f"{role}-slot"


def remove_style(role: str) -> str:
    """The button that removes a further painting."""
    return f"{role}-remove"


def style_mix(number: int, part: str) -> str:
    """The "row", "title", "weight", "share", "scale" or "factor" of painting `number`, from 0, in the mix."""
    return f"style-mix-{number}-{part}"


def mask(part: str) -> str:
    """A button of the mask, its "panel" or "name", or a part of the dialog in which it is painted, such as "canvas"."""
    return f"mask-{part}"
