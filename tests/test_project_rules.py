"""Rules of the whole project: what importing loads, how files are named and sized, what is documented and packaged."""

import argparse
import ast
import base64
import dataclasses
import email
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import numpy as np
import pytest
import yaml

from nst.options.fast_options import FastOptions
from nst.options.option_field import Option, options_of
from nst.options.style_options import StyleOptions
from nst.options.train_options import TrainOptions
from nst.pictures.images import encode_png
from tests.server_process import server_process

ROOT = Path(__file__).resolve().parent.parent
NST = ROOT / "nst"

MOST_LINES = 300  # of a module
LONG: set[str] = set()  # modules of more lines, to be split
MOST_ENTRIES = 15  # of nst: packages, modules and folders of data
MOST_MODULES = 15  # of a folder, beside its __init__.py
WITHOUT_README: set[str] = set()
# Modules that share a file name by design: a page and its callbacks, a command and what it calls, a route and what it
# serves.
SHARED_NAMES = {
    "chooser.py": {"web/callbacks/form", "web/components/form"},
    "compare.py": {"web/callbacks", "web/pages"},
    "diagnosis.py": {"engine", "web/callbacks/run", "web/components/run"},
    "estimate.py": {"web/callbacks/form", "web/components/form"},
    "events.py": {"runs", "web/api"},
    "gallery.py": {"web/callbacks", "web/pages"},
    "history.py": {"web/callbacks/run", "web/components/run"},
    "instant.py": {"web/callbacks", "web/pages"},
    "mask.py": {"web/callbacks/form", "web/components/form"},
    "network.py": {"web/callbacks/form", "web/components/form"},
    "pictures.py": {"web/api", "web/service"},
    "presets.py": {"web/callbacks/form", "web/components/form"},
    "result_tools.py": {"web/callbacks/run", "web/components/run"},
    "runs.py": {"web/api", "web/service"},
    "serve.py": {"cli", "web"},
    "settings_upload.py": {"web/callbacks/form", "web/components/form"},
    "steering.py": {"web/callbacks/run", "web/components/run"},
    "style_mix.py": {"web/callbacks/form", "web/components/form"},
    "store.py": {"cli", "jobs/storage"},
    "toast.py": {"web/callbacks", "web/components"},
    "train.py": {"cli", "engine/training"},
    "variations.py": {"options", "web/api", "web/service"},
    "vary.py": {"cli", "web/callbacks", "web/pages"},
    "weights.py": {"cli", "engine/networks"},
}
GENERIC = re.compile("(utils?|helpers?|commons?|misc|core|base|libs?|stuff|things?|managers?|tools?)")
VAGUE = re.compile(
    "answers|bodies|cards|choosing|estimating|fetches|hands|limits|live|looks?|painting|rest|restoring|sheet|tables|turns"
    "|whole|words"
)
# Banned also as one of the words of a name, singular or plural.
METAPHORS = re.compile(
    "(course|desk|door|film|floor|ground|guard|house|judge|ladder|lesson|member|painter|place|room|rung|shelf|shelve"
    "|stor(y|ie)|ticket|twin|wall|wish|witness)(e?s)?"
)
FIELDS_OWN = {"_member"}  # a file in a ZIP archive

# Words whose American spelling the project has.
BRITISH = re.compile(
    r"\w*(?:colour|favourit|neighbour|behaviour|harbour|artefact|licence)\w*|grey\w*|centr(?:ed?|es|ing)\b"
    r"|\w*(?:general|initial|maxim|minim|normal|optim|organ|penal|random|real|recogn|regular|stabil|summar|util|vector"
    r"|visual)is(?:e|ed|er|ers|es|ing|ation|ations)\b",
    re.IGNORECASE,
)
# Where one of them is a name that stored data, earlier requests or the page's own ids have.
BRITISH_NAMES = {
    ("nst/jobs/storage/archive.py", "favourite"),
    ("nst/jobs/storage/grids.py", "favourite"),
    ("nst/jobs/storage/schema.py", "favourite"),
    ("nst/options/style_options.py", "normalisation"),
    ("nst/pictures/samples.py", "harbour"),
    ("nst/web/api/pictures.py", "harbour"),
    ("nst/web/api/request_parsing.py", "favourite"),
    ("nst/web/ids.py", "favourites"),
}
# Packages that nst imports and a declared one requires: their versions follow that one's.
BROUGHT = {"dask": "distributed", "pydantic": "fastapi", "starlette": "fastapi", "keras": "tensorflow"}

# Reports what importing does: modules loaded, threads, sockets and processes started, files written. It looks only at
# our own calls: urllib3, for one, binds a socket when it is imported, to find out whether there is IPv6.
REPORTER = """
import sys
started = []
def ours(frame):
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_globals.get("__name__", "").split(".")[0] in ("nst", "app"):
            return True
        frame = frame.f_back
    return False
watched = {"socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.mkdir", "sqlite3.connect"}
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if (event in watched or writes) and ours(sys._getframe(1)):
        started.append(f"{event} {arguments!r:.200}")
sys.dont_write_bytecode = True
sys.addaudithook(hook)
import importlib, json, threading
for module in sys.argv[1:]:
    importlib.import_module(module)
started += [f"thread {thread.name}" for thread in threading.enumerate()[1:]]
print(json.dumps({"loaded": sorted(sys.modules), "started": started}))
"""


@functools.cache
def importing(*modules: str) -> dict[str, list[str]]:
    """What happens in a fresh interpreter that imports `modules`."""
    command = [sys.executable, "-c", REPORTER, *modules]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def loaded(modules: list[str], *packages: str) -> list[str]:
    return [name for name in modules if name.split(".")[0] in packages or name in packages]


@pytest.mark.parametrize("module", ["nst", "nst.cli.main", "nst.jobs.queue", "nst.web.factory", "app"])
def test_tensorflow_stays_out_of_the_web_process(module: str) -> None:
    assert not loaded(importing(module)["loaded"], "tensorflow", "keras", "nst.engine", "nst.worker.runner")


@pytest.mark.parametrize("module", ["nst", "nst.cli.main", "nst.jobs.queue", "nst.jobs.storage.store"])
def test_dash_stays_out_of_everything_but_the_web(module: str) -> None:
    assert not loaded(importing(module)["loaded"], "dash", "fastapi", "nst.web")


def test_options_pictures_runs_and_styles_load_no_framework() -> None:
    light = [
        f"nst.{name}"
        for name in (
            "errors",
            "options.style_options",
            "options.settings",
            "runs.run",
            "runs.estimates",
            "pictures.provenance",
            "styles.style_library",
        )
    ]
    assert not loaded(importing(*light)["loaded"], "tensorflow", "keras", "scipy", "dash", "fastapi", "distributed")


@pytest.mark.parametrize(
    "module", ["nst", "nst.cli.main", "nst.worker.runner", "nst.jobs.queue", "nst.web.factory", "app"]
)
def test_nothing_starts_at_import(module: str) -> None:
    assert importing(module)["started"] == []


def sources(*suffixes: str) -> Iterator[Path]:
    """Files of the project with one of the suffixes, wherever they lie."""
    for place in ("nst", "assets", "tools", "tests", "benchmarks", "docs", ".ci"):
        yield from (path for path in sorted((ROOT / place).rglob("*")) if path.is_file() and path.suffix in suffixes)
    files = (
        path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".git"
    )  # a worktree's is a file
    yield from (path for path in files if path.suffix in suffixes)


def modules_of(folder: Path) -> list[Path]:
    """The modules in a folder and in those below it, without the files that Python names."""
    return [path for path in sorted(folder.rglob("*.py")) if not path.stem.startswith("__")]


def test_no_module_has_more_than_300_lines_but_those_to_be_split() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in NST.rglob("*.py")}
    assert {path.relative_to(NST).as_posix() for path, lines in lengths.items() if lines > MOST_LINES} == LONG


def test_the_package_has_at_most_fifteen_entries() -> None:
    entries = {path.name for path in NST.iterdir()} - {"README.md", "__pycache__"}
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_no_folder_has_more_than_fifteen_modules() -> None:
    counted = Counter(path.parent.relative_to(NST).as_posix() for path in modules_of(NST))
    assert [folder for folder, modules in counted.items() if modules > MOST_MODULES] == []


def test_every_folder_of_code_has_a_readme() -> None:
    parents = [NST, ROOT / "tests", ROOT / "tools"]
    folders = {NST / "builtin", *(path.parent for parent in parents for path in parent.rglob("__init__.py"))}
    assert {folder.name for folder in folders if not (folder / "README.md").is_file()} == WITHOUT_README


def test_every_module_that_a_document_names_exists() -> None:
    files = [f"/{path.relative_to(ROOT).as_posix()}" for path in sources(".py", ".js")]
    pages = [page.read_text(encoding="utf-8") for page in sources(".md")]
    named = {name for page in pages for name in re.findall(r"`([\w/]+\.(?:py|js))`", page)}
    assert len(named) > 100
    assert sorted(name for name in named if not any(path.endswith(f"/{name}") for path in files)) == []


def test_no_two_modules_share_a_file_name_but_by_design() -> None:
    found: dict[str, set[str]] = {}
    for path in modules_of(NST):
        found.setdefault(path.name, set()).add(path.parent.relative_to(NST).as_posix())
    assert {name: folders for name, folders in found.items() if len(folders) > 1} == SHARED_NAMES


def test_modules_are_named_after_terms_of_the_field() -> None:
    ours = [*modules_of(NST), *modules_of(ROOT / "tools")]
    assert [str(path) for path in ours if VAGUE.fullmatch(path.stem) or is_metaphor(path.stem)] == []
    assert [str(path) for path in sources(".py") if GENERIC.fullmatch(path.stem)] == []


def is_metaphor(name: str) -> bool:
    """Whether one of the words of `name`, in any notation, is a metaphor."""
    return any(METAPHORS.fullmatch(word.lower()) for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name))


@pytest.mark.parametrize("name", ["places", "a_place", "NearPlaces", "shelves", "CHECK_ROOM"])
def test_a_metaphor_is_found_in_any_notation(name: str) -> None:
    assert is_metaphor(name)
    assert not is_metaphor("replaced_placeholder")


@functools.cache
def trees() -> dict[Path, ast.Module]:
    """The syntax trees of all modules of nst."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in NST.rglob("*.py")}


def test_classes_and_functions_are_named_after_terms_of_the_field() -> None:
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for tree in trees().values() for node in ast.walk(tree) if isinstance(node, definitions)}
    assert sorted(name for name in names - FIELDS_OWN if is_metaphor(name)) == []


def is_number(value: ast.expr) -> bool:
    """Whether an expression is computed from literal numbers alone."""
    arithmetic = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    literals = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
    return all(isinstance(part, (ast.Constant, *arithmetic)) for part in ast.walk(value)) and all(
        isinstance(literal, int | float) for literal in literals
    )


def numbers(tree: ast.Module) -> Iterator[str]:
    """The names of a module's constants that are numbers, also of several in one statement."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=True) if several else [(target, value)]
            yield from (ast.unparse(name) for name, given in pairs if is_number(given))


def test_a_number_has_a_name_that_no_other_module_gives_to_another() -> None:
    counted = Counter(name for tree in trees().values() for name in numbers(tree) if name.isupper())
    assert len(counted) > 200
    assert sorted(name for name, modules in counted.items() if modules > 1) == []


def test_no_path_of_one_machine_is_written_down() -> None:
    path_of_a_machine = re.compile(r"(?<![\w.])/(?:work|root|home)/\w")
    text = sources(".py", ".md", ".toml", ".txt", ".js", ".css", ".json", "")
    assert [str(path) for path in text if path_of_a_machine.search(path.read_text(encoding="utf-8"))] == []


def test_the_shared_pictures_are_known_to_tests_benchmarks_and_docs_alone() -> None:
    folders = ("tests", "benchmarks", "docs")
    code = [path for path in sources(".py", ".js") if path.relative_to(ROOT).parts[0] not in folders]
    assert [str(path) for path in code if "../shared" in path.read_text(encoding="utf-8")] == []


@pytest.fixture(scope="module")
def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def mentioned(word: str, text: str) -> bool:
    """Whether `word` stands there as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def every_option() -> list[Option]:
    return [option for kind in (StyleOptions, FastOptions, TrainOptions) for option in options_of(kind)]


def test_every_option_is_described_in_a_page_beside_the_reference() -> None:
    written = [ROOT / "README.md", *(page for page in (ROOT / "docs").glob("*.md") if page.name != "reference.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in written)
    code = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    names = {option.name: f"--{option.name}".replace("_", "-") for option in every_option()}
    assert [name for name, flag in names.items() if not (mentioned(name, code) or mentioned(flag, code))] == []


def texts_for_users() -> Iterator[tuple[str, str]]:
    """(file, text) of documents, of scripts of the page, and of texts in the code; docstrings are texts of routes."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "assets").glob("*.js")]
    for path in documents:
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(ROOT).as_posix(), re.sub(r"\]\([^)]*\)", "]", text)  # without the targets of links
    for path in NST.rglob("*.py"):
        tree, place = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
        hidden = set() if place.startswith("nst/web/api/") else set(statements)
        texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in hidden)
        yield from ((place, text.value) for text in texts if isinstance(text.value, str))


def test_what_users_read_has_american_spelling() -> None:
    found = {(place, word.group()) for place, text in texts_for_users() for word in BRITISH.finditer(text)}
    assert {
        each for each in found if each[0] != "CHANGELOG.md"
    } == BRITISH_NAMES  # old entries name options as they were


def test_nst_imports_only_packages_that_are_declared() -> None:
    """A package that only the tests need would be missing where nst is installed."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    declared = {re.split(r"[^\w-]", line)[0].replace("_", "-") for line in lines if line and not line.startswith("#")}
    imported: set[str] = set()
    for path in NST.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {module.partition(".")[0] for module in modules}
    packages = packages_distributions()
    for module in imported - sys.stdlib_module_names - {"nst"}:
        owners = {name.replace("_", "-").lower() for name in packages[module]}
        if module in BROUGHT:
            [owner, *_] = (name for name in packages[BROUGHT[module]])
            required = {re.split(r"[^\w-]", each)[0].lower() for each in requires(owner) or ()}
            assert owners & required, module
            owners = {owner.replace("_", "-")}
        assert owners & declared, f"{module} is imported, but requirements.txt has none of {owners}"


def test_the_image_is_built_from_files_that_are_there_and_runs_without_rights() -> None:
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line.strip()]
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    copied = [source for line in lines if line[0] == "COPY" and "--from=build" not in line for source in line[1:-1]]
    assert {"nst", "assets", "pyproject.toml", "requirements.txt", "docs/description.md"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists() or source not in kept] == []
    assert [line[1] for line in lines if line[0] == "USER"][-1:] == ["nst"]
    assert lines[-1] == ["CMD", '["nst",', '"serve",', '"--no-open"]']


def test_compose_publishes_the_studio_on_this_machine_alone() -> None:
    studio = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["studio"]
    assert studio["build"] == "."
    assert studio["ports"]
    assert [port for port in studio["ports"] if not port.startswith("127.0.0.1:")] == []
    assert studio["environment"]["NST_TOKEN"].startswith("${NST_TOKEN:?")  # it does not start without one
    assert "user" not in studio  # that of the image
    assert studio["cap_drop"] == ["ALL"]


def test_every_choice_of_every_option_is_documented(documentation: str) -> None:
    choices = {choice for option in every_option() for choice in option.choices}
    assert sorted(choice for choice in choices if not mentioned(choice, documentation)) == []


def test_every_variable_the_code_reads_is_documented(documentation: str) -> None:
    from nst.options.settings import Settings

    read = {f"NST_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    for path in NST.rglob("*.py"):
        read |= set(re.findall(r"\"(NST_[A-Z0-9_]*[A-Z0-9])\"", path.read_text(encoding="utf-8")))
    assert sorted(name for name in read if not mentioned(name, documentation)) == []


def commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The commands of a parser, in words: "stylize", "weights list" ..."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for name, child in (item for group in groups for item in group.choices.items()):
        yield from (f"{name} {inner}" for inner in commands(child)) if list(commands(child)) else [name]


def test_every_command_is_documented(documentation: str) -> None:
    from nst.cli.main import build_parser

    assert [command for command in commands(build_parser()) if not mentioned(f"nst {command}", documentation)] == []


def test_every_route_is_documented(documentation: str) -> None:
    from nst.web.api import router

    routes = {route.path for route in router.routes if getattr(route, "include_in_schema", False)}
    assert sorted(path for path in routes if path not in documentation) == []


def test_every_public_name_is_documented(documentation: str) -> None:
    import nst

    assert [name for name in nst.__all__ if not mentioned(name, documentation)] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """What `pip install .` would install, built from a copy, so that no build folder is left here."""
    folder = tmp_path_factory.mktemp("wheel")
    copied = folder / "source"
    for name in ("nst", "assets", "pyproject.toml", "requirements.txt", "docs/description.md", "LICENSE"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copied / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-q"]
    subprocess.run([*build, "-w", folder, copied], check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("nst-*.whl")))


def test_the_wheel_holds_every_module_the_data_and_the_assets(wheel: zipfile.ZipFile) -> None:
    shipped = {f"nst/{path.relative_to(NST).as_posix()}" for path in NST.rglob("*.py")}
    builtin = (path for path in (NST / "builtin").rglob("*") if path.is_file())
    shipped |= {path.relative_to(ROOT).as_posix() for path in builtin}
    assets = (path for path in (ROOT / "assets").rglob("*") if path.is_file())
    shipped |= {f"nst/web/assets/{path.relative_to(ROOT / 'assets').as_posix()}" for path in assets}
    assert sorted(shipped - set(wheel.namelist())) == []


def test_the_wheel_has_a_command_named_nst(wheel: zipfile.ZipFile) -> None:
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "nst = nst.cli.main:main" in wheel.read(entry).decode()


def test_the_wheel_says_what_a_package_index_asks_for(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    found = email.message_from_bytes(wheel.read(name))
    assert found["License-Expression"] == "MIT"
    assert f"{name.rpartition('/')[0]}/licenses/{found['License-File']}" in wheel.namelist()
    assert found["Author"] == "The nst authors"
    assert found["Description-Content-Type"] == "text/markdown"
    description = str(found.get_payload())
    assert description.strip() == (ROOT / "docs" / "description.md").read_text(encoding="utf-8").strip()
    assert re.findall(r"!\[|\]\((?!https://)|<img", description) == []  # an index has none of the files beside it
    assert found["Requires-Python"] == "<3.14,>=3.11"
    versions = {text.rpartition(" :: ")[2] for text in found.get_all("Classifier") if "Python :: 3." in text}
    assert versions == {"3.11", "3.12", "3.13"}
    assert any(each.startswith("dash") for each in found.get_all("Requires-Dist"))


@pytest.mark.timeout(600)
def test_the_installed_wheel_serves_and_paints(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Away from the checkout, in an empty folder beside the packages that are installed here."""
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "-q"]
    subprocess.run([*install, "--target", tmp_path / "site", wheel.filename], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "NST_DATA": str(tmp_path / "data"), "CI": "1"}
    command = [sys.executable, tmp_path / "site/bin/nst", "serve", "--port", "0", "--no-open"]
    picture = base64.b64encode(encode_png(np.full((64, 64, 3), 0.5, np.float32))).decode()
    options = {"epochs": 1, "steps_per_epoch": 2, "size": 64, "extractor": "compact"}
    body = json.dumps({"content": picture, "style": picture, "options": options}).encode()
    with server_process(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        runs = process.stdout.readline().split()[4] + "/api/v1/runs"
        request = urllib.request.Request(runs, body, {"Content-Type": "application/json"})
        run, last, kinds = json.load(urllib.request.urlopen(request))["id"], 0, []
        while kinds[-1:] not in (["finished"], ["failed"]):
            found = json.load(urllib.request.urlopen(f"{runs}/{run}/events?after={last}&wait=10"))
            last, kinds = found["last"], kinds + [event["kind"] for event in found["events"] if event["kind"] != "kept"]
        assert kinds[-1] == "finished"
        assert urllib.request.urlopen(f"{runs}/{run}/result.png").read(4) == b"\x89PNG"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
