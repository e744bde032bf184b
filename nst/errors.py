"""The errors that users see. Each message is one line that names the thing, states the rule and echoes the value.

NstError
├── InputError          an input cannot be used
│   ├── OptionError     an option's name or value
│   ├── StyleError      a style file, or the name of a style
│   └── ImageError      a picture
│       ├── TooLarge    ... over a limit of bytes or pixels
│       ├── NotAnImage  ... in no supported format, or damaged
│       └── NoSettings  ... that this program did not paint
├── WeightsError        a network's weights are missing, damaged or could not be fetched
│   ├── Unfetched       ... could not be fetched
│   └── Cancelled       ... were not fetched, because the download was cancelled
├── Diverged            the loss became NaN or grew without bounds
├── OutOfMemory         the picture is too large for this machine
├── NotFound            no such run, frame or result
├── Conflict            the run's state does not allow it
│   └── Forbidden       ... it is another client's, or only who runs the studio may
├── TooMany             the client has too many runs waiting
├── Busy                the queue is full, or there is no worker
└── DiskFull            the disk that keeps the runs is full

Requests have two more, in nst/web/problems.py: Malformed, for a body, and FieldError, which names a field.
"""

import errno


class NstError(Exception):
    """Base of the errors that users see; `str(error)` is the message."""


class InputError(NstError):
    """An input cannot be used."""


class OptionError(InputError):
    """An option's name or value is wrong; `option` is its name, "" if the error is about none in particular."""

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
    """The bytes are no picture in a supported format, or a damaged one."""


class NoSettings(ImageError):
    """A picture was not painted by this program, or has lost what tells how."""


class WeightsError(NstError):
    """A network's weights are missing, damaged or could not be fetched."""


class Unfetched(WeightsError):
    """Weights could not be fetched.

    `brief` is the reason without the address and the system's message. `passing` is whether it may work another time.
    """

    def __init__(self, message: str, brief: str, passing: bool = False) -> None:
        super().__init__(message)
        self.brief, self.passing = brief, passing


class Cancelled(WeightsError):
    """Weights were not fetched, because the download was cancelled."""


class Diverged(NstError):
    """The loss became NaN or grew without bounds."""


class OutOfMemory(NstError):
    """The picture is too large for this machine."""


class NotFound(NstError):
    """No such run, frame or result."""


class Conflict(NstError):
    """The run's state does not allow it."""


class Forbidden(Conflict):
    """What the client would change is another's, or may be changed by who runs the studio alone."""


class TooMany(NstError):
    """The client has too many runs waiting."""


class Busy(NstError):
    """The queue is full, or there is no worker."""


class DiskFull(NstError):
    """The disk that keeps the runs is full."""

    ERRNOS = (errno.ENOSPC, errno.EDQUOT)  # of an OSError that means this
