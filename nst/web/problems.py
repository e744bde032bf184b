"""Errors as the REST interface tells them: one table, and one shape, {"error": {"code", "message", "field"?}}."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nst.errors import Busy, Conflict, InputError, NotAnImage, NotFound, NstError, TooLarge

PAUSE = 30  # seconds after which who was told that we are busy may try again

# (error, HTTP status, code); the first row that fits an error speaks for it.
TABLE: tuple[tuple[type[NstError], int, str], ...] = (
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (TooLarge, 413, "too_large"),
    (NotAnImage, 415, "not_an_image"),
    (InputError, 422, "invalid"),
    (Busy, 503, "busy"),
    (NstError, 500, "internal"),
)


class Malformed(InputError):
    """A request's body cannot be read at all."""


class Refused(InputError):
    """`cause`, which one field of a request is to blame for."""

    def __init__(self, field: str, cause: NstError) -> None:
        super().__init__(str(cause))
        self.field, self.cause = field, cause


def problem(status: int, code: str, message: str, field: str = "") -> JSONResponse:
    """An error of the one shape."""
    return JSONResponse({"error": {"code": code, "message": message} | ({"field": field} if field else {})}, status)


def problem_of(error: NstError) -> JSONResponse:
    """An error of ours, by the table."""
    if isinstance(error, Malformed):
        return problem(400, "malformed", str(error))
    field = getattr(error, "field", "") or getattr(error, "option", "")
    told = error.cause if isinstance(error, Refused) else error
    status, code = next((status, code) for kind, status, code in TABLE if isinstance(told, kind))
    answer = problem(status, code, str(error), field)
    if isinstance(told, Busy):
        answer.headers["Retry-After"] = str(PAUSE)
    return answer


def install(server: FastAPI) -> None:
    """Have `server` answer every error in the one shape."""

    @server.exception_handler(NstError)
    async def ours(request: Request, error: NstError) -> JSONResponse:
        return problem_of(error)

    @server.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = str(first["loc"][-1])
        return problem(422, "invalid", f"`{field}`: {first['msg']}, got {first.get('input')!r:.80}", field)

    @server.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        answer = problem(error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @server.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "internal", "something went wrong here; the server's log says what")
