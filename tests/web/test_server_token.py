"""The token of a server for which none was set."""

from pathlib import Path

import pytest

from nst.errors import NstError
from nst.options.settings import SHORTEST_TOKEN, Settings
from nst.web.server_token import FILE, with_token


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
