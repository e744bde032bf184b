"""`nst styles`: list the fast styles, and export, import, rename and remove those that were trained here."""

import argparse
from pathlib import Path

from nst.cli.paths import check_output
from nst.styles.style_file import SUFFIX, read_style_file
from nst.styles.style_library import user_library


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command with their arguments; without an action, styles are listed."""
    parser.set_defaults(command=_list, flags=())
    actions = parser.add_subparsers(metavar="ACTION")
    actions.add_parser("list", help="which styles are here", allow_abbrev=False)

    export = actions.add_parser("export", help="write a style and its network as one file", allow_abbrev=False)
    export.add_argument("name", metavar="NAME")
    export.add_argument("-o", "--output", type=Path, required=True, metavar=f"FILE{SUFFIX}", help="or a folder")
    export.set_defaults(command=_export, flags=("-o", "--output"))

    add = actions.add_parser("import", help="add the styles of a file", allow_abbrev=False)
    add.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    add.set_defaults(command=_import)

    rename = actions.add_parser("rename", help="give a style of yours another name", allow_abbrev=False)
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("new", metavar="NEW", help="NAME itself, to change the title alone")
    rename.add_argument("--title", help="what people are shown")
    rename.set_defaults(command=_rename, flags=("--title",))

    remove = actions.add_parser("remove", help="delete a style of yours", allow_abbrev=False)
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(command=_remove)


def _list(parsed: argparse.Namespace) -> int:
    for entry in user_library().entries():
        origin = "shipped" if entry.shipped else "own"
        print(f"{entry.name:24} {entry.style.title:32} {origin:8} {entry.file.network}")
    return 0


def _export(parsed: argparse.Namespace) -> int:
    data = user_library().export(parsed.name)
    output = parsed.output / f"{parsed.name}{SUFFIX}" if parsed.output.is_dir() else parsed.output
    check_output(output, (SUFFIX,))
    output.write_bytes(data)
    print(output)
    return 0


def _import(parsed: argparse.Namespace) -> int:
    for name in user_library().add(read_style_file(parsed.file), parsed.file.name):
        print(name)
    return 0


def _rename(parsed: argparse.Namespace) -> int:
    entry = user_library().rename(parsed.name, parsed.new, parsed.title)
    print(f"{entry.name}  {entry.style.title}")
    return 0


def _remove(parsed: argparse.Namespace) -> int:
    user_library().remove(parsed.name)
    return 0
