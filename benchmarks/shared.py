"""The folder of photographs, paintings and weights that are no part of the project: `NST_SHARED`, or ../shared."""

import os
from pathlib import Path


def shared_folder() -> Path:
    """Return its path; it need not exist."""
    return Path(os.environ.get("NST_SHARED") or "../shared")
