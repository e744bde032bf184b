"""Errors as the REST interface tells them: one table, and one shape, {"error": {"code", "message", "field"?}}."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nst.errors import Busy, Conflict, InputError, NotAnImage, NotFound, NstError, TooLarge, TooMany

PAUSE = 30  # seconds after which who was told that too many runs wait may try again


class Malformed(InputError):
    """A request's body cannot be read at all."""


# (error, HTTP status, code); the first row that fits an error speaks for it.
TABLE: tuple[tuple[type[NstError], int, str], ...] = (
    (Malformed, 400, "malformed"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (TooLarge, 413, "too_large"),
    (NotAnImage, 415, "not_an_image"),
    (InputError, 422, "invalid"),
    (TooMany, 429, "too_many"),
    (Busy, 503, "busy"),
    (NstError, 500, "internal"),
)


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
    field = getattr(error, "field", "") or getattr(error, "option", "")
    told = error.cause if isinstance(error, Refused) else error
    status, code = next((status, code) for kind, status, code in TABLE if isinstance(told, kind))
    answer = problem(status, code, str(error), field)
    if isinstance(told, Busy | TooMany):
        answer.headers["Retry-After"] = str(PAUSE)
    return answer


def code_of(status: int) -> str:
    """The code of an error by its HTTP status, in the table's words or else in HTTP's."""
    phrase = HTTPStatus(status).phrase.lower().replace(" ", "_")
    return next((code for _, known, code in TABLE if known == status), phrase)


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
        answer = problem(error.status_code, code_of(error.status_code), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @server.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "internal", "something went wrong here; the server's log says what")
