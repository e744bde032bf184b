"""The race: the loops of the field and ours, on the same two pictures, one extractor and one machine, in alternation.

Each loop advances ten steps in turn (one with more steps in its schedule advances more often, so that all end
together), and only the time inside it counts; then its clipped 8-bit picture is judged, outside the clock, by the
yardstick (`judge.py`), at full size whatever the loop's own scale is. All use our extractor with the same weights as
it is shipped, in the precision that it chooses here, so the loops of the field profit from our convolutions. Traces
are warm before the clock starts, as in a worker; targets are the loop's own work. On `compact` the published layers
are mapped as `formulas.py` says.

Results go to `results/race-<machine>-<network>.json` as they come, with a table (.md) and a chart (.svg) beside it. A
loop that has finished is not run again unless --again asks for it, so a race may be interrupted and completed later.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import torch_loop
from benchmarks.chart import chart
from benchmarks.command import command, whole_number
from benchmarks.curves import Curve, read, table, write
from benchmarks.judge import Judge, judge_by, on_grid, teacher_judge
from benchmarks.our_loops import our_loops
from benchmarks.outcome import NotMeasured
from benchmarks.published_loops import Frame, Loop, Picture, Problem, loops_of_the_field
from benchmarks.random_weights import he_normal
from benchmarks.report import RESULTS, machine, others_load, slug
from benchmarks.squeezenet import squeezenet_file
from nst.cli.main import Parser
from nst.engine.devices import choose_precision
from nst.engine.networks import weights as weight_files
from nst.engine.networks.choose_extractor import choose_extractor, load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.errors import Diverged, InputError, OptionError
from nst.options.option_field import did_you_mean
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit, read_file, resize
from nst.pictures.samples import find

TURN = 10  # steps between two verdicts
STEPS = 500
TIMED_STEPS, TIMED_TURN = 10, 2  # where only times are told
TEACHER = "teacher"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the race; returns the exit status."""
    return command(_parser(), run, arguments)


def run(given: argparse.Namespace) -> None:
    """One race as the command line describes it. Raises NotMeasured, after its report, for loops that broke off."""
    tf.get_logger().setLevel("ERROR")  # every loop traces functions of its own, which is meant
    timing = given.random_weights
    steps = given.steps or (TIMED_STEPS if timing else STEPS)
    problem, weights = pose(given, steps)
    known = {**loops_of_the_field(problem), **_torch_loops(problem, weights), **our_loops(problem)}
    loops = {name: known[name] for name in _chosen(given.loops, known)}
    conditions = {
        "network": given.network,
        "weights": "random" if timing else "shipped",
        "precision": problem.extractor.dtype,
        "content": Path(given.content).name,
        "style": Path(given.style).name,
        "height": problem.content.shape[0],
        "width": problem.content.shape[1],
        "steps": steps,
    }
    stem = given.folder / f"race-{slug(machine())}-{given.network}{'-timing' if timing else ''}"
    path = stem.with_suffix(".json")
    kept = _kept(path, conditions, given.again)
    waiting = {name: loop for name, loop in loops.items() if given.again or not _finished(kept, name)}
    judges = {} if timing else _judges(problem)
    if waiting:
        _set_up(waiting)
        circumstances = {"beside": list(waiting), "other_load": others_load()}
        curves = {name: Curve(loop.title, loop.start, circumstances=circumstances) for name, loop in waiting.items()}
        kept["loops"] |= curves
        try:
            race(waiting, curves, judges, problem, lambda: write(path, kept), TIMED_TURN if timing else TURN)
        except KeyboardInterrupt:
            print("\nrace: interrupted; the same command goes on with the loops that have not finished")
            raise
    finished = {name: kept["loops"][name] for name in known if _finished(kept, name)}
    curves = {name: curve for name, curve in finished.items() if not curve.note}
    broken = [f"{curve.title}: {curve.note}" for curve in finished.values() if curve.note]
    if not curves:
        raise NotMeasured("; ".join(broken))
    report = timing_table(curves, _whole(problem)) if timing else table(curves, list(judges))
    heading = _heading(conditions)
    text = "\n\n".join([heading, report.rstrip(), *(f"No figures of {each}." for each in broken)]) + "\n"
    stem.with_suffix(".md").write_text(text)
    print(f"\n{text}\nkept in {stem}.*")
    for judge in judges:
        svg = chart(curves, judge, f"Loss against time (judge: {judge})\n{heading}")
        Path(f"{stem}{'' if judge == given.network else '-' + judge}.svg").write_text(svg)
    if broken:
        raise NotMeasured("; ".join(broken))


def race(
    loops: Mapping[str, Loop],
    curves: Mapping[str, Curve],
    judges: Mapping[str, Judge],
    problem: Problem,
    keep: Callable[[], None],
    turn: int = TURN,
) -> None:
    """Run `loops` in alternation, `turn` steps at a time, into their `curves`; `keep` is called after each lap."""
    laps = -(-problem.steps // turn)
    runners = {name: Runner(loop, curves[name], judges, problem) for name, loop in loops.items()}
    began = perf_counter()
    for lap in range(1, laps + 1):
        for runner in runners.values():
            for _ in range(-(-runner.loop.steps // (turn * laps))):
                runner.advance(turn)
        if lap == laps:
            for runner in runners.values():
                runner.close()
        keep()
        spent = perf_counter() - began
        print(f"lap {lap} of {laps}, {spent:.0f} s of about {spent * laps / lap:.0f}", flush=True)


class Runner:
    """A loop on its way: keeps its clock, and has it judged after every turn."""

    def __init__(self, loop: Loop, curve: Curve, judges: Mapping[str, Judge], problem: Problem) -> None:
        self.loop = loop
        self._curve = curve
        self._judges = judges
        self._pixels = problem.content.shape[0] * problem.content.shape[1]
        self._frames: Iterator[Frame] | None = None
        self._seconds = self._work = 0.0
        self._step = 0

    def advance(self, steps: int) -> None:
        """Take so many steps more, the start first of all, unless it is over."""
        if self._curve.finished:
            return
        if self._frames is None:
            self._frames = self.loop.run()
            self._take(1, counted=False)
        self._take(min(steps, self.loop.steps - self._step))
        if self._step >= self.loop.steps:
            self.close()

    def close(self) -> None:
        """Nothing more will be asked of it."""
        self._curve.finished = True
        if self._frames is not None:
            getattr(self._frames, "close", lambda: None)()

    def _take(self, count: int, counted: bool = True) -> None:
        assert self._frames is not None
        began, frame = perf_counter(), None
        taken = 0
        try:
            for frame in islice(self._frames, count):
                taken += 1
                self._work += counted * frame.height * frame.width / self._pixels
        except Diverged as error:
            self._curve.note = str(error)
        picture = frame.picture() if frame else None  # inside the clock: it waits for what a GPU still does
        self._seconds += perf_counter() - began
        self._step += taken * counted
        if picture is not None and np.isfinite(picture).all():
            self._judge(picture)
        elif picture is not None:
            self._curve.note = f"its picture was no longer finite at step {self._step}"
        if taken < count or self._curve.note:
            self.close()

    def _judge(self, picture: Picture) -> None:
        curve = self._curve
        curve.step.append(self._step)
        curve.work.append(self._work)
        curve.seconds.append(self._seconds)
        for name, judge in self._judges.items():
            columns = curve.judged.setdefault(name, {"total": [], "content": [], "style": []})
            for column, value in zip(columns.values(), judge(picture), strict=True):
                column.append(value)


def timing_table(curves: Mapping[str, Curve], whole: Mapping[str, Loop]) -> str:
    """Markdown: what a full-size step takes in each loop, and so its whole run; `whole` has the runs' lengths."""
    lines = [
        "| loop | s a full-size step | full-size steps of a run | s a run, about |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, curve in curves.items():
        each, work = curve.step_seconds, whole[name].work
        lines.append(f"| {curve.title} | {each:.3g} | {work:.0f} | {each * work:,.0f} |")
    return "\n".join(lines) + "\n"


def pose(given: argparse.Namespace, steps: int) -> tuple[Problem, Any]:
    """(the problem, the extractor's weights). Raises WeightsError where they are not there."""
    architecture = ARCHITECTURES[given.network]
    if given.random_weights:
        weights = he_normal(architecture, 0)
        extractor = Extractor(architecture, weights, dtype=choose_precision(given.precision))
    else:
        extractor = choose_extractor(given.network, "auto", given.precision)[0]
        weights = weight_files.load(given.network, architecture.shapes())
    content, style = picture_of(given.content), picture_of(given.style)
    content = resize(content, *on_grid(*fit(*content.shape[:2], given.size)))
    return Problem(content, style, extractor, steps, coarse=not given.random_weights), weights


def picture_of(name: str) -> Picture:
    """The picture file or the sample of that name, [H, W, 3] in 0..1. Raises InputError."""
    if Path(name).is_file():
        return read_file(name).rgb
    return read_file(find(name).path).rgb


def _heading(conditions: Mapping[str, Any]) -> str:
    here = machine()
    return "{content} x {style}, {width} x {height} px, {network} in {precision}, ".format(
        **conditions
    ) + "{cores} cores of {processor} ({instructions})".format(**here)


def _whole(problem: Problem) -> dict[str, Loop]:
    """Every loop as it is run in earnest."""
    earnest = Problem(problem.content, problem.style, problem.extractor, STEPS)
    return {**loops_of_the_field(earnest), **torch_loop.torch_loops(earnest, {}), **our_loops(earnest)}


def _judges(problem: Problem) -> dict[str, Judge]:
    network = problem.extractor.architecture.name
    judges = {network: judge_by(load_extractor(network), problem.content, problem.style)}  # in float32 for all
    file = squeezenet_file()
    if network == "compact" and file:
        judges[TEACHER] = teacher_judge(file, problem.content, problem.style)
    elif network == "compact":
        print("race: no teacher judges: NST_SHARED names no folder that has it")
    return judges


def _torch_loops(problem: Problem, weights: Any) -> dict[str, Loop]:
    if torch_loop.available():
        return torch_loop.torch_loops(problem, weights)
    print("race: no PyTorch loops: PyTorch is not installed (pip install torch)")
    return {}


def _set_up(loops: Mapping[str, Loop]) -> None:
    """Trace every loop by its first steps, in a run that is thrown away."""
    for name, loop in loops.items():
        began = perf_counter()
        frames = loop.run()
        for frame in islice(frames, 3):
            frame.picture()
        getattr(frames, "close", lambda: None)()
        print(f"{name} is warm after {perf_counter() - began:.1f} s", flush=True)


def _chosen(names: str | None, known: Mapping[str, Loop]) -> list[str]:
    """The loops named, in their usual order. Raises OptionError."""
    wanted = [name.strip() for name in names.split(",")] if names else list(known)
    for name in wanted:
        if name in torch_loop.names() and name not in known:
            raise OptionError(f"`--loops`: {name!r} needs PyTorch, which is not installed")
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise OptionError(f"`--loops`: there is no loop {name!r}{hint}")
    return [name for name in known if name in wanted]


def _kept(path: Path, conditions: Mapping[str, Any], again: bool) -> dict[str, Any]:
    """What is kept of a race under these conditions, to be added to. Raises InputError where it is of others."""
    kept = read(path)
    differing = [key for key, value in conditions.items() if kept and kept["conditions"].get(key) != value]
    if differing and not again:
        key = differing[0]
        raise InputError(
            f"{path.name} keeps a race whose {key} is {kept['conditions'].get(key)!r}, not {conditions[key]!r}; "
            "--again replaces it, --folder keeps this one elsewhere"
        )
    loops = {} if differing else kept.get("loops", {})
    return {"machine": machine(), "conditions": dict(conditions), "loops": loops}


def _finished(kept: Mapping[str, Any], name: str) -> bool:
    return name in kept["loops"] and kept["loops"][name].finished


def _parser() -> Parser:
    parser = Parser(prog="python -m benchmarks.race", description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--network", choices=("compact", "vgg19", "vgg16"), default="compact")
    parser.add_argument("--precision", choices=StyleOptions.option("precision").choices, default="auto")
    parser.add_argument("--size", type=whole_number(64, 4096, 16), default=512, help="long side, px")
    parser.add_argument("--steps", type=whole_number(1, 100_000), help=f"of the race; {STEPS} unless given")
    parser.add_argument("--content", default="lake", help="a sample's name or a picture file")
    parser.add_argument("--style", default="night-wind", help="a sample's name or a picture file")
    parser.add_argument("--loops", help="names of loops, comma between; all unless given")
    parser.add_argument(
        "--random-weights", action="store_true", help=f"only time {TIMED_STEPS} full-size steps, on random weights"
    )
    parser.add_argument("--again", action="store_true", help="run finished loops anew")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
