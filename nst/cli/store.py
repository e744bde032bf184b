"""`nst store`: back up, check and repair the folder in which the studio keeps runs."""

import argparse
import os
from pathlib import Path

from nst.options.settings import UMASK, Settings


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    backup = actions.add_parser(
        "backup", help="copy the store but for its token, also while a studio uses it", allow_abbrev=False
    )
    backup.add_argument("target", type=Path, metavar="FOLDER", help="a new or empty folder")
    _add_data(backup, _back_up)
    _add_data(actions.add_parser("check", help="list what is damaged or missing", allow_abbrev=False), _check)
    repair = actions.add_parser("repair", help="rebuild a damaged or lost database from the files", allow_abbrev=False)
    _add_data(repair, _repair)


def _add_data(parser: argparse.ArgumentParser, command: object) -> None:
    parser.add_argument("--data", help="folder of the store (NST_DATA)")
    parser.set_defaults(command=command, flags=("--data",))


def _back_up(parsed: argparse.Namespace) -> int:
    from nst.jobs.storage.maintenance import back_up

    os.umask(UMASK)
    back_up(_folder(parsed), parsed.target)
    print(parsed.target)
    return 0


def _check(parsed: argparse.Namespace) -> int:
    from nst.jobs.storage.maintenance import check

    found = check(_folder(parsed))
    print("\n".join(found) or "The store is whole.")
    return 1 if found else 0


def _repair(parsed: argparse.Namespace) -> int:
    from nst.jobs.storage.maintenance import repair

    os.umask(UMASK)
    print("\n".join(repair(_folder(parsed))) or "There was nothing to repair.")
    return 0


def _folder(parsed: argparse.Namespace) -> Path:
    return Settings.read(arguments=argparse.Namespace(data=parsed.data)).data
