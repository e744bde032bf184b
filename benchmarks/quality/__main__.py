"""Judge painted pictures: paint fixed pairs and measure the results beside two controls, or set up a blind duel.

Controls are the untouched photo and the pasted style: a measure that ranks one of them first has been fooled. No figure
is printed unless every painting ended as it should.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.command import command, whole_number
from benchmarks.quality.duel import make_sheets, tally
from benchmarks.quality.features import FeatureJudge, squeezenet_judge, vgg19_judge
from benchmarks.quality.painting import Paintings, Setting, settings_of
from benchmarks.quality.pairs import SAMPLES, Pair, chosen, pairs_in, picture_in, shared_pairs
from benchmarks.quality.tables import Row, as_json, contact_sheet, table
from benchmarks.quality.verdicts import MEASURES, PairJudge
from benchmarks.report import machine, others_load, rounded
from nst.atomic_write import atomic_write
from nst.cli.main import Parser
from nst.cli.paths import check_output
from nst.engine.networks import weights as weight_files
from nst.errors import OptionError
from nst.options.option_field import number
from nst.pictures.images import read_file

NETWORKS = ("compact", "vgg19", "vgg16")
SHEET_QUALITY = 90  # JPEG


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    return command(_parser(), run, arguments)


def run(given: argparse.Namespace) -> None:
    """Count a duel, set one up, or judge."""
    if given.tally:
        print(tally(*given.tally).text())
    elif given.duel:
        duel(given)
    else:
        judge(given)


def duel(given: argparse.Namespace) -> None:
    """Write the sheets and the key of a duel."""
    if given.out is None:
        raise OptionError("`--duel` needs a folder for its sheets: --out FOLDER")
    key = given.key or given.out.with_name(f"{given.out.name}-key.json")
    pairs = _pairs(given)
    make_sheets(pairs, tuple(given.duel), given.out, key, given.seed)
    print(f'{len(pairs)} sheets in {given.out}; answer in a text file, "1 left", "2 right" or "3 tie" a line')
    print(f"who is where stands in {key}: leave it closed until then")


def judge(given: argparse.Namespace) -> None:
    """Paint what is asked for, judge it, and only then tell anything."""
    for file, suffixes in ((given.output, (".json",)), (given.sheet, (".jpg", ".jpeg"))):
        if file:
            check_output(file, suffixes)
    pairs = _pairs(given)
    settings = settings_of(_networks(given), given.set, given.size, given.seed)
    others = {pair.name: {str(folder): picture_in(folder, pair.name) for folder in given.judge} for pair in pairs}
    load = others_load()
    judges = _judges()
    rows: list[Row] = []
    judged: list[tuple[Pair, PairJudge]] = []
    with _kept(given.keep) as folder:
        paintings = {setting.name: Paintings(folder / setting.folder, setting) for setting in settings}
        for pair in pairs:
            by = PairJudge(pair, given.judge_size, judges)
            judged.append((pair, by))
            rows += [Row(pair.name, name, None, by(picture, name)) for name, picture in by.controls.items()]
            for of, file, seconds in _results(pair, paintings, others[pair.name]):
                rows.append(Row(pair.name, of, seconds, by(read_file(file).rgb, str(file)), file))
        sheet = contact_sheet(judged, rows) if given.sheet else None
    print(table(rows))
    print("\n".join(f"{name}: {text}" for name, text in MEASURES.items()))
    if given.output:
        conditions = _conditions(given, settings, judges) | {"pairs": [pair.name for pair in pairs], "other_load": load}
        with atomic_write(given.output) as part:
            part.write_text(json.dumps(rounded(as_json(rows, conditions)), indent=1) + "\n", encoding="utf-8")
    if sheet:
        sheet.save(given.sheet, quality=SHEET_QUALITY, subsampling=0)


def _results(
    pair: Pair, paintings: dict[str, Paintings], others: dict[str, Path]
) -> Iterator[tuple[str, Path, float | None]]:
    """(whose, file, seconds it took) of each result for the pair, painted now where it is missing."""
    for name, painted in paintings.items():
        file, seconds = painted.file_of(pair)
        print(f"{pair.name}, {name}: {seconds:.0f} s", file=sys.stderr, flush=True)
        yield name, file, seconds
    for name, file in others.items():
        yield name, file, None


def _pairs(given: argparse.Namespace) -> list[Pair]:
    pairs = pairs_in(given.pairs) if given.pairs else SAMPLES
    return chosen([*pairs, *(shared_pairs() if given.shared else [])], given.only)


def _networks(given: argparse.Namespace) -> list[str]:
    """Those to paint with: none where only results are judged, else compact, and vgg19 where its weights are."""
    if given.networks or given.judge:
        if given.set and not given.networks:
            raise OptionError("`--set` is for what is painted; name `--networks` beside `--judge`")
        return given.networks or []
    return ["compact", *(["vgg19"] if weight_files.locate("vgg19") else [])]


def _judges() -> dict[str, FeatureJudge]:
    """The networks that can look, by the beginnings of their measures' names; of others it is said that they cannot."""
    found = {"vgg": vgg19_judge(), "sq": squeezenet_judge()}
    if found["vgg"] is None:
        print(f"quality: VGG19 does not judge. {weight_files.how_to_get('vgg19')}", file=sys.stderr)
    if found["sq"] is None:
        print("quality: SqueezeNet does not judge: NST_SHARED names no folder that has it", file=sys.stderr)
    return {name: judge for name, judge in found.items() if judge}


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """Where paintings go: the folder, or one that is removed at the end."""
    if folder:
        yield folder
    else:
        with TemporaryDirectory(prefix="quality-") as temporary:
            yield Path(temporary)


def _conditions(
    given: argparse.Namespace, settings: Sequence[Setting], judges: dict[str, FeatureJudge]
) -> dict[str, Any]:
    return {
        "machine": machine(),
        "judge_size": given.judge_size,
        "judges": list(judges),
        "settings": {setting.name: setting.options.to_json() for setting in settings},
    }


def _parser() -> Parser:
    description, _, epilog = __doc__.partition("\n")
    parser = Parser(prog="python -m benchmarks.quality", description=description, epilog=epilog, allow_abbrev=False)
    pairs = parser.add_argument_group("pairs")
    pairs.add_argument("--pairs", type=Path, metavar="FOLDER", help="a folder's pairs in place of the samples")
    pairs.add_argument("--shared", action="store_true", help="also the pairs of the folder that NST_SHARED names")
    pairs.add_argument("--only", nargs="+", metavar="PAIR", help="only the pairs of these names")
    painting = parser.add_argument_group("painting")
    painting.add_argument(
        "--networks", nargs="+", choices=NETWORKS, help="compact, and vgg19 where it is, if not given"
    )
    painting.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE,...", help="options; once for each setting to compare"
    )
    painting.add_argument("--size", type=number, default=512, help="long side of what is painted, px")
    painting.add_argument("--seed", type=number, default=0, help="of the paintings, or of a duel's lots")
    painting.add_argument("--keep", type=Path, metavar="FOLDER", help="keep paintings, and use those kept before")
    judging = parser.add_argument_group("judging")
    judging.add_argument(
        "--judge", nargs="+", type=Path, default=[], metavar="FOLDER", help="results of any system, named as the pairs"
    )
    judging.add_argument("--judge-size", type=whole_number(64, 2048), default=384, help="long side when judged, px")
    judging.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="the figures as JSON")
    judging.add_argument("--sheet", type=Path, metavar="FILE.jpg", help="a contact sheet of all pictures")
    duels = parser.add_argument_group("duels")
    duels.add_argument("--duel", nargs=2, type=Path, metavar=("A", "B"), help="two folders of results, to be compared")
    duels.add_argument("--out", type=Path, metavar="FOLDER", help="where a duel's sheets go")
    duels.add_argument("--key", type=Path, metavar="FILE", help="its key; FOLDER-key.json unless given")
    duels.add_argument("--tally", nargs=2, type=Path, metavar=("ANSWERS", "KEY"), help="count the answers to a duel")
    return parser


if __name__ == "__main__":
    sys.exit(main())
