"""Dependencies of the routes: the service, the client, and the run in the path if the client may use it.

The id of a run, which cannot be guessed, is enough to see it; only the client that started a run may change it.
What reads the database runs in a thread.
"""

from typing import Annotated

from fastapi import Depends, Path, Request

from nst.runs.run import Run
from nst.web.middleware.clients import client_of
from nst.web.service.permissions import check_owner
from nst.web.service.service import Service

RunId = Annotated[str, Path(description="32 hex digits, from the answer to the request that started the run")]


async def get_service(request: Request) -> Service:
    """Return the service of the server that handles the request."""
    return request.app.state.service


async def get_client(request: Request) -> str:
    """Return the client's id; "" if the studio is not shared."""
    return client_of(request)


ServiceDep = Annotated[Service, Depends(get_service)]
Client = Annotated[str, Depends(get_client)]


def visible_run(run_id: RunId, service: ServiceDep) -> Run:
    """Return the run in the path. Raises NotFound."""
    return service.store.run(run_id)


def own_run(run_id: RunId, service: ServiceDep, client: Client) -> Run:
    """Return the run in the path for a change. Raises NotFound, and Forbidden if it is another client's."""
    return _owned(service.store.run(run_id), client)


def own_deleted_run(run_id: RunId, service: ServiceDep, client: Client) -> Run:
    """Return the run in the path, which may be deleted. Raises as `own_run`."""
    return _owned(service.archive.deleted(run_id), client)


def _owned(run: Run, client: str) -> Run:
    check_owner(run.client, client, f"run {run.id}")
    return run


VisibleRun = Annotated[Run, Depends(visible_run)]
OwnRun = Annotated[Run, Depends(own_run)]
OwnDeletedRun = Annotated[Run, Depends(own_deleted_run)]
