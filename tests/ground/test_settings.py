import argparse
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OptionError
from nst.settings import Settings

modest = settings(max_examples=50, deadline=None, derandomize=True)

NAMES = [field.name for field in dataclasses.fields(Settings)]
ENVIRONMENT = {
    "NST_HOST": "0.0.0.0",
    "NST_PORT": "9000",
    "NST_DATA": "/tmp/studio",
    "NST_SCHEDULER": "tcp://other:8786",
    "NST_OFFLINE": "1",
    "NST_MEMORY": "2.5",
}
FLAGS = ["--host", "::1", "--port", "0", "--data", "here", "--scheduler", "tcp://third:1", "--offline", "--memory", "4"]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(f"NST_{name.upper()}", raising=False)


def parsed(flags: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    Settings.add_flags(parser)
    return parser.parse_args(flags)


def test_defaults_keep_to_this_machine():
    found = Settings.read({})
    assert (found.host, found.port, found.scheduler, found.offline) == ("127.0.0.1", 8050, "", False)
    assert found.data.is_absolute()
    assert found == Settings()


def test_every_setting_has_a_variable_and_a_flag():
    assert sorted(ENVIRONMENT) == sorted(f"NST_{name.upper()}" for name in NAMES)
    assert sorted(vars(parsed([]))) == sorted(NAMES)
    found = Settings.read(ENVIRONMENT)
    assert found == Settings("0.0.0.0", 9000, Path("/tmp/studio"), "tcp://other:8786", True, 2.5)


def test_flags_come_before_the_environment_and_are_optional():
    assert Settings.read(ENVIRONMENT, parsed(FLAGS)) == Settings("::1", 0, Path("here"), "tcp://third:1", True, 4.0)
    assert Settings.read(ENVIRONMENT, parsed([])) == Settings.read(ENVIRONMENT)
    assert Settings.read(ENVIRONMENT, argparse.Namespace()) == Settings.read(ENVIRONMENT)


def test_the_environment_of_the_process_is_read_when_asked(monkeypatch):
    monkeypatch.setenv("NST_PORT", "1234")
    assert Settings.read().port == 1234


def test_empty_variables_count_as_unset():
    assert Settings.read(dict.fromkeys(ENVIRONMENT, "")) == Settings()


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("No", False)])
def test_offline_is_read_in_words_and_digits(text, meant):
    assert Settings.read({"NST_OFFLINE": text}).offline is meant


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("NST_PORT", "http", "NST_PORT must be a whole number, got 'http'"),
        ("NST_PORT", "80.5", "NST_PORT must be a whole number, got '80.5'"),
        ("NST_PORT", "-1", "`port` must be between 0 and 65535, got -1"),
        ("NST_PORT", "65536", "`port` must be between 0 and 65535, got 65536"),
        ("NST_MEMORY", "much", "NST_MEMORY must be a number, got 'much'"),
        ("NST_MEMORY", "-1", "`memory` must be a number of gigabytes, at least 0, got -1"),
        ("NST_MEMORY", "nan", "`memory` must be a number of gigabytes, at least 0, got nan"),
        ("NST_OFFLINE", "maybe", "NST_OFFLINE must be 1 or 0, got 'maybe'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(variable, text, words):
    with pytest.raises(OptionError) as caught:
        Settings.read({variable: text})
    assert str(caught.value) == words
    assert caught.value.option == variable.removeprefix("NST_").lower()


def test_a_flag_that_makes_no_sense_is_refused_under_its_own_name():
    with pytest.raises(OptionError, match="--port must be a whole number, got 'http'"):
        Settings.read({}, parsed(["--port", "http"]))


@modest
@given(st.integers(0, 65535))
def test_every_port_is_good(port):
    assert (
        Settings.read({"NST_PORT": str(port)}).port == Settings.read({}, parsed(["--port", f" {port} "])).port == port
    )


def test_a_tilde_is_the_home_and_a_home_nobody_knows_is_a_name_like_any():
    assert Settings.read({"NST_DATA": "~/studio"}).data == Path.home() / "studio"
    assert Settings.read({"NST_DATA": "~nobody-of-that-name/x"}).data == Path("~nobody-of-that-name/x")
