"""`nst styles`: list the fast styles; add one from a painting; export, import, rename and remove those of one's own."""

import argparse
from dataclasses import replace
from pathlib import Path

from nst.cli.paths import check_output, write_whole
from nst.styles.style_file import SUFFIX, check_name, check_title, read_style_file, title_of
from nst.styles.style_library import shipped_file, user_library
from nst.styles.style_picture import StylePicture


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command with their arguments; without an action, styles are listed."""
    parser.set_defaults(command=_list, flags=())
    actions = parser.add_subparsers(metavar="ACTION")
    actions.add_parser("list", help="which styles are here", allow_abbrev=False)

    export = actions.add_parser("export", help="write a style and its network as one file", allow_abbrev=False)
    export.add_argument("name", metavar="NAME")
    export.add_argument("-o", "--output", type=Path, required=True, metavar=f"FILE{SUFFIX}", help="or a folder")
    export.set_defaults(command=_export, flags=("-o", "--output"))

    add = actions.add_parser("add", help="add the style of a painting, without training", allow_abbrev=False)
    add.add_argument("name", metavar="NAME")
    add.add_argument("file", type=Path, metavar="FILE", help="a picture of the painting")
    add.add_argument("--title", help="what people are shown (default: made from NAME)")
    add.set_defaults(command=_add, flags=("--title",))

    bring = actions.add_parser("import", help="add the styles of a file", allow_abbrev=False)
    bring.add_argument("file", type=Path, metavar=f"FILE{SUFFIX}")
    bring.set_defaults(command=_import)

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
    write_whole(output, data)
    print(output)
    return 0


def _add(parsed: argparse.Namespace) -> int:
    library, painting = user_library(), StylePicture.read_file(parsed.file)
    library.check_free(check_name(parsed.name))
    title = check_title(parsed.title or title_of(parsed.name))
    from nst.engine.feed_forward.style_predictor import predict_vector  # loads TensorFlow, after the arguments' check

    style = painting.style(title, predict_vector(painting.rgb))
    library.add(replace(shipped_file(), styles={parsed.name: style}).to_bytes())
    print(parsed.name)
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
