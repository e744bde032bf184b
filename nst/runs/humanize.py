"""Numbers in words: durations, memory, counts and positions in the queue."""

GIGABYTE = 10**9  # bytes
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ROUNDING = ((20, 1), (60, 5), (600, 10), (3600, 60))  # (durations below, are rounded to); seconds
COARSEST = 300  # seconds, of longer ones


def ordinal(number: int) -> str:
    """1 -> "first", 12 -> "12th", 22 -> "22nd"."""
    if number < len(ORDINALS):
        return ORDINALS[number]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def count(number: int, noun: str) -> str:
    """1 epoch, 2 epochs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def converged(epoch: int, epochs: int) -> str:
    """The remark on a run that ended after `epoch` of `epochs` because it had converged."""
    return f"converged after epoch {epoch} of {epochs}; more epochs change nothing visible"


def duration(seconds: float) -> str:
    """42 s, 3 min 05 s, 1 h 02 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def roughly(seconds: float) -> str:
    """A duration rounded as an estimate deserves: 4 s, 40 s, 2 min 10 s, 14 min, 1 h 05 min."""
    step = next((step for limit, step in ROUNDING if seconds < limit), COARSEST)
    return duration(max(1, step * round(seconds / step))).removesuffix(" 00 s").removesuffix(" 00 min")


def gigabytes(number: int) -> str:
    """Bytes, as 1.1 GB."""
    return f"{number / GIGABYTE:.1f} GB"
