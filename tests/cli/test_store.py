"""`nst store` in this process: its flags, what it prints, its status."""

from pathlib import Path

import pytest

from nst.cli.main import main
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a store with a run."""
    folder = tmp_path / "data"
    store = Store(folder)
    store.create(StyleOptions(), store.put_upload(b"a content"), store.put_upload(b"a style"))
    store.close()
    return folder


def test_a_store_is_checked_where_a_flag_or_the_environment_says(data, capsys, monkeypatch) -> None:
    assert main(["store", "check", "--data", str(data)]) == 0
    assert capsys.readouterr().out == "The store is whole.\n"
    for upload in (data / "uploads").iterdir():
        upload.unlink()
    monkeypatch.setenv("NST_DATA", str(data))
    assert main(["store", "check"]) == 1
    printed = capsys.readouterr()
    assert "its content picture is missing" in printed.out
    assert printed.err == ""


def test_a_backup_is_a_store_and_its_folder_is_printed(data, tmp_path, capsys) -> None:
    target = tmp_path / "backup"
    assert main(["store", "backup", str(target), "--data", str(data)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert main(["store", "check", "--data", str(target)]) == 0
    capsys.readouterr()
    assert main(["store", "backup", str(target), "--data", str(data)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nst: ")
    assert said.count("\n") == 1


def test_a_lost_database_is_repaired(data, capsys) -> None:
    for path in data.glob("studio.sqlite*"):
        path.unlink()
    assert main(["store", "repair", "--data", str(data)]) == 0
    assert "There was nothing to repair." not in capsys.readouterr().out
    assert main(["store", "check", "--data", str(data)]) == 0
    capsys.readouterr()
    assert main(["store", "repair", "--data", str(data)]) == 0
    assert capsys.readouterr().out == "There was nothing to repair.\n"


def test_a_store_without_an_action_or_with_an_unknown_flag_is_status_2(capsys) -> None:
    for given in (["store"], ["store", "backup"], ["store", "check", "--dat", "x"]):
        assert main(given) == 2
        assert capsys.readouterr().err.startswith("nst: ")
