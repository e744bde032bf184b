from collections.abc import Iterator
from contextlib import suppress

import pytest
from fastapi.testclient import TestClient

from nst.errors import Conflict
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from tests.web.sites import queue_of


@pytest.fixture(scope="session")
def session_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A site with a real store, and a real queue with a worker process."""
    settings = Settings(data=tmp_path_factory.mktemp("data"), memory=1.8)  # a request may ask for a picture of any size
    store = Store(settings.data)
    site = create_app(settings, store, queue_of(settings, store))
    with TestClient(site, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def client(session_client: TestClient) -> Iterator[TestClient]:
    """That site, which has no run to paint or to wait for when the module ends."""
    yield session_client
    service = session_client.app.state.service
    for run in service.store.active():
        with suppress(Conflict):  # of a run that has just ended
            service.queue.stop(run.id)
