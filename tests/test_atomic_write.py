"""Files that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from nst.atomic_write import atomic_write


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_may_be_read_by_whom_the_umask_of_its_writer_allows(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with atomic_write(tmp_path / "made" / "file") as part:
            part.write_text("whole")
    finally:
        os.umask(before)
    assert (tmp_path / "made" / "file").stat().st_mode & 0o777 == mode


def test_after_an_error_the_file_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")

    def fail() -> None:
        with atomic_write(file) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]
