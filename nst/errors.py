"""The errors a user can meet. Each message is one line that names the thing, states the rule and echoes the value.

NstError
├── InputError          what was given cannot be used
│   ├── OptionError     an option's name or value
│   ├── StyleError      a style file, or the name of a style
│   └── ImageError      a picture
│       ├── TooLarge    ... over a limit of bytes or pixels
│       └── NotAnImage  ... not a picture we read, or a damaged one
├── WeightsError        a network's weights are missing, damaged or could not be fetched
│   ├── Unfetched       ... could not be fetched
│   └── Cancelled       ... were not fetched, because somebody said so
├── Diverged            the loss became NaN or ran away
├── OutOfMemory         the picture is too large for this machine
├── NotFound            no such run, frame or result
├── Conflict            the run's state does not allow that
├── TooMany             too many runs of one client wait
└── Busy                the queue is full, or no worker is there
"""


class NstError(Exception):
    """Base of everything a user can meet; `str(error)` is fit to be shown."""


class InputError(NstError):
    """What was given cannot be used."""


class OptionError(InputError):
    """An option's name or value is wrong; `option` names the field, "" if none is meant."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class StyleError(InputError):
    """A style file or a style's name cannot be used."""


class ImageError(InputError):
    """A picture cannot be used."""


class TooLarge(ImageError):
    """A picture is over a limit of bytes or pixels."""


class NotAnImage(ImageError):
    """The bytes are no picture that we read, or a damaged one."""


class WeightsError(NstError):
    """A network's weights are missing, damaged or could not be fetched."""


class Unfetched(WeightsError):
    """Weights could not be fetched.

    `brief` says why without the address and the system's words; `passing`, that another day may be better.
    """

    def __init__(self, message: str, brief: str, passing: bool = False) -> None:
        super().__init__(message)
        self.brief, self.passing = brief, passing


class Cancelled(WeightsError):
    """Weights were not fetched, because somebody said so."""


class Diverged(NstError):
    """The loss became NaN or ran away."""


class OutOfMemory(NstError):
    """The picture is too large for this machine."""


class NotFound(NstError):
    """No such run, frame or result."""


class Conflict(NstError):
    """The run's state does not allow that."""


class TooMany(NstError):
    """Who asks has too many runs waiting already."""


class Busy(NstError):
    """The queue is full, or no worker is there."""
