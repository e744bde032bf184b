from collections.abc import Iterator
from pathlib import Path

import pytest

from nst.jobs.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data")
    yield store
    store.close()
