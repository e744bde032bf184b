"""Who may do what: to see a run its id is enough, which nobody guesses; only the client who began it may change it."""

from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request

from nst.runs.run import Run
from nst.web.middleware.clients import HEADER, client_of
from nst.web.service.service import Service

RunId = Annotated[str, Path(description="32 hex digits, as the request that started the run was told")]


async def desk_of(request: Request) -> Service:
    """The service of the server that answers this request."""
    return request.app.state.service


async def client_who_asks(request: Request) -> str:
    """The client's id; "" where everyone is the one user."""
    return client_of(request)


Here = Annotated[Service, Depends(desk_of)]
Client = Annotated[str, Depends(client_who_asks)]


async def seen(run_id: RunId, service: Here) -> Run:
    """The run that a path names. Raises NotFound."""
    return service.store.run(run_id)


async def own(run_id: RunId, service: Here, client: Client) -> Run:
    """The same, to be changed by the client who began it. Raises NotFound, and HTTPException for anybody else."""
    return _own(service.store.run(run_id), client)


async def own_deleted(run_id: RunId, service: Here, client: Client) -> Run:
    """The same, though it was deleted."""
    return _own(service.archive.deleted(run_id), client)


def _own(run: Run, client: str) -> Run:
    if client and run.client != client:
        raise HTTPException(403, f"run {run.id} is another client's: only the `{HEADER}` that began it may change it")
    return run


Seen = Annotated[Run, Depends(seen)]
Own = Annotated[Run, Depends(own)]
OwnDeleted = Annotated[Run, Depends(own_deleted)]
