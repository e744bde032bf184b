"""The token of a server for which none was set."""

import errno
import os
from pathlib import Path

import pytest

from nst.errors import NstError, OptionError
from nst.jobs.storage.store import Store
from nst.options.settings import SHORTEST_TOKEN, Settings
from nst.web.factory import create_app
from nst.web.server_token import FILE, with_token
from tests.web.sites import queue_of


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_server_that_this_machine_alone_reaches_needs_no_token(tmp_path: Path, host: str) -> None:
    assert with_token(Settings(host=host, data=tmp_path)).token == ""
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "studio.example"])
def test_a_server_that_others_can_reach_makes_a_token_once_and_keeps_it(tmp_path: Path, host: str) -> None:
    settings = Settings(host=host, data=tmp_path / "data")
    token = with_token(settings).token
    assert len(token) >= 2 * SHORTEST_TOKEN
    assert with_token(settings).token == token
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o077 == 0
    assert with_token(Settings(host=host, data=tmp_path / "other")).token != token


def test_a_token_that_was_set_is_used(tmp_path: Path) -> None:
    settings = Settings(host="0.0.0.0", data=tmp_path, token="open-sesame-open")
    assert with_token(settings) == settings
    assert not (tmp_path / FILE).exists()


def test_a_token_that_cannot_be_kept_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(NstError, match=r"the token cannot be kept in .*; set NST_TOKEN"):
        with_token(Settings(host="0.0.0.0", data=tmp_path / "data"))


@pytest.mark.parametrize("text", ["", "short\n"])
def test_a_file_without_a_token_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(OptionError, match=r"^'.*token' must hold a token of at least 16 characters, got [05]: [^\n]*$"):
        with_token(Settings(host="0.0.0.0", data=tmp_path))


def test_a_token_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NstError, match=r"the token cannot be kept in .*: No space left on device"):
        with_token(Settings(host="0.0.0.0", data=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_of_two_servers_that_start_at_once_the_token_of_the_first_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def late(source: str, target: Path) -> None:
        target.write_text("the-token-of-the-first")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert with_token(Settings(host="0.0.0.0", data=tmp_path)).token == "the-token-of-the-first"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_an_application_that_others_can_reach_is_not_made_without_a_token(tmp_path: Path) -> None:
    settings, store = Settings(host="0.0.0.0", data=tmp_path), Store(tmp_path)
    with pytest.raises(OptionError, match=r"^a studio on '0\.0\.0\.0' needs a token"):
        create_app(settings, store, queue_of(settings, store))
    store.close()
