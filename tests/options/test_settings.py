import argparse
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OptionError
from nst.options.settings import Settings

modest = settings(max_examples=50, deadline=None, derandomize=True)

NAMES = [field.name for field in dataclasses.fields(Settings)]
ENVIRONMENT = {
    "NST_HOST": "0.0.0.0",
    "NST_PORT": "9000",
    "NST_DATA": "/tmp/studio",
    "NST_SCHEDULER": "tcp://other:8786",
    "NST_OFFLINE": "1",
    "NST_MEMORY": "2.5",
    "NST_TOKEN": "open-sesame-open",
    "NST_MANY": "yes",
    "NST_WAITING": "50",
    "NST_WAITING_EACH": "5",
    "NST_WORKERS": "2",
    "NST_DISK": "0.5",
    "NST_FRAMES": "8",
}
FLAGS = [
    *("--host", "::1", "--port", "0", "--data", "here", "--scheduler", "tcp://third:1", "--offline", "--memory", "4"),
    *("--token", "another-open-sesame", "--many", "--waiting", "9", "--waiting-each", "3", "--workers", "4"),
    *("--disk", "100", "--frames", "1"),
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(f"NST_{name.upper()}", raising=False)


def parsed(flags: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    Settings.add_flags(parser)
    return parser.parse_args(flags)


def test_by_default_a_server_listens_on_this_machine_alone():
    found = Settings.read({})
    assert (found.host, found.port, found.scheduler, found.offline) == ("127.0.0.1", 8050, "", False)
    assert (found.token, found.many, found.workers) == ("", False, 1)
    assert found.data.is_absolute()
    assert found == Settings()


def test_every_setting_has_a_variable_and_a_flag():
    assert sorted(ENVIRONMENT) == sorted(f"NST_{name.upper()}" for name in NAMES)
    assert sorted(vars(parsed([]))) == sorted(NAMES)
    assert Settings.read(ENVIRONMENT) == Settings(
        host="0.0.0.0",
        port=9000,
        data=Path("/tmp/studio"),
        scheduler="tcp://other:8786",
        offline=True,
        memory=2.5,
        token="open-sesame-open",
        many=True,
        waiting=50,
        waiting_each=5,
        workers=2,
        disk=0.5,
        frames=8.0,
    )


def test_flags_come_before_the_environment_and_are_optional():
    own = ("another-open-sesame", True, 9, 3, 4, 100.0, 1.0)
    expected = Settings("::1", 0, Path("here"), "tcp://third:1", True, 4.0, *own)
    assert Settings.read(ENVIRONMENT, parsed(FLAGS)) == expected
    assert Settings.read(ENVIRONMENT, parsed([])) == Settings.read(ENVIRONMENT)
    assert Settings.read(ENVIRONMENT, argparse.Namespace()) == Settings.read(ENVIRONMENT)


def test_the_environment_of_the_process_is_read_when_asked(monkeypatch):
    monkeypatch.setenv("NST_PORT", "1234")
    assert Settings.read().port == 1234


def test_empty_variables_count_as_unset():
    assert Settings.read(dict.fromkeys(ENVIRONMENT, "")) == Settings()


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("No", False)])
def test_a_boolean_is_read_from_words_and_digits(text, meant):
    assert Settings.read({"NST_OFFLINE": text}).offline is meant


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("NST_PORT", "http", "NST_PORT must be a whole number, got 'http'"),
        ("NST_PORT", "80.5", "NST_PORT must be a whole number, got '80.5'"),
        ("NST_PORT", "-1", "`port` must be a whole number between 0 and 65535, got -1"),
        ("NST_PORT", "65536", "`port` must be a whole number between 0 and 65535, got 65536"),
        ("NST_MEMORY", "much", "NST_MEMORY must be a number, got 'much'"),
        ("NST_MEMORY", "-1", "`memory` must be a number of at least 0, got -1.0"),
        ("NST_MEMORY", "nan", "`memory` must be a number of at least 0, got nan"),
        ("NST_OFFLINE", "maybe", "NST_OFFLINE must be 1 or 0, got 'maybe'"),
        ("NST_MANY", "some", "NST_MANY must be 1 or 0, got 'some'"),
        ("NST_WAITING", "0", "`waiting` must be a whole number between 1 and 10000, got 0"),
        ("NST_WAITING", "10001", "`waiting` must be a whole number between 1 and 10000, got 10001"),
        ("NST_WAITING_EACH", "0", "`waiting_each` must be a whole number between 1 and 10000, got 0"),
        ("NST_WORKERS", "65", "`workers` must be a whole number between 1 and 64, got 65"),
        ("NST_WORKERS", "two", "NST_WORKERS must be a whole number, got 'two'"),
        ("NST_DISK", "0", "`disk` must be a number of at least 0.001, got 0.0"),
        ("NST_DISK", "inf", "`disk` must be a number of at least 0.001, got inf"),
        ("NST_FRAMES", "0.5", "`frames` must be a number of at least 1, got 0.5"),
        ("NST_FRAMES", "nan", "`frames` must be a number of at least 1, got nan"),
    ],
)
def test_a_wrong_setting_is_refused(variable, text, words):
    with pytest.raises(OptionError) as caught:
        Settings.read({variable: text})
    assert str(caught.value) == words
    assert caught.value.option == variable.removeprefix("NST_").lower()


@pytest.mark.parametrize("flag", ["--port", "--waiting-each"])
def test_the_error_of_a_wrong_flag_names_the_flag(flag):
    with pytest.raises(OptionError, match=f"{flag} must be a whole number, got 'http'"):
        Settings.read({}, parsed([flag, "http"]))


@pytest.mark.parametrize("token", ["short", "fifteen-letters", "words with spaces between", "a-newline-at-the-end\n"])
def test_the_error_of_a_wrong_token_does_not_echo_it(token):
    with pytest.raises(OptionError) as caught:
        Settings.read({"NST_TOKEN": token})
    rule = "at least 16 printable characters, none of them a space"
    assert str(caught.value) == f"`token` must have {rule}, got {len(token)} characters"


@pytest.mark.parametrize("token", ["sixteen-letters!", "пароль-из-букв-и-цифр-7"])
def test_a_token_is_kept_and_not_part_of_the_repr(token):
    found = Settings.read({"NST_TOKEN": token})
    assert found.token == token
    assert token not in repr(found) + str(found)


@modest
@given(st.integers(0, 65535))
def test_every_port_is_accepted(port):
    assert (
        Settings.read({"NST_PORT": str(port)}).port == Settings.read({}, parsed(["--port", f" {port} "])).port == port
    )


def test_a_tilde_is_expanded_unless_the_user_is_unknown():
    assert Settings.read({"NST_DATA": "~/studio"}).data == Path.home() / "studio"
    assert Settings.read({"NST_DATA": "~nobody-of-that-name/x"}).data == Path("~nobody-of-that-name/x")
