"""Errors as answers of the REST interface, {"error": {"code", "message", "field"?}}, by one table."""

from http import HTTPStatus

from dash.exceptions import DependencyException
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nst.errors import (
    Busy,
    Conflict,
    DiskFull,
    Forbidden,
    InputError,
    NotAnImage,
    NotFound,
    NstError,
    TooLarge,
    TooMany,
)
from nst.web.middleware.security_headers import security_headers

RETRY_SECONDS = 30  # after which a client may repeat a request that was refused because of load


class Malformed(InputError):
    """The body of a request cannot be parsed."""


# (class of error, HTTP status, code); the first row that fits an error is used.
TABLE: tuple[tuple[type[NstError], int, str], ...] = (
    (Malformed, 400, "malformed"),
    (NotFound, 404, "not_found"),
    (Forbidden, 403, "forbidden"),
    (Conflict, 409, "conflict"),
    (TooLarge, 413, "too_large"),
    (NotAnImage, 415, "not_an_image"),
    (InputError, 422, "invalid"),
    (TooMany, 429, "too_many"),
    (Busy, 503, "busy"),
    (DiskFull, 507, "insufficient_storage"),
    (NstError, 500, "internal"),
)


class FieldError(InputError):
    """`cause`, with the field of the request that caused it."""

    def __init__(self, field: str, cause: NstError) -> None:
        super().__init__(str(cause))
        self.field, self.cause = field, cause


def problem(status: int, code: str, message: str, field: str = "") -> JSONResponse:
    """Return an error as an answer."""
    return JSONResponse({"error": {"code": code, "message": message} | ({"field": field} if field else {})}, status)


def problem_of(error: NstError) -> JSONResponse:
    """Return an `NstError` as an answer, by the table."""
    field = getattr(error, "field", "") or getattr(error, "option", "")
    cause = error.cause if isinstance(error, FieldError) else error
    status, code = next((status, code) for kind, status, code in TABLE if isinstance(cause, kind))
    answer = problem(status, code, str(error), field)
    if isinstance(cause, Busy | TooMany):
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def code_of(status: int) -> str:
    """Return the code of an error by its HTTP status: from the table, or else the status phrase of HTTP."""
    phrase = HTTPStatus(status).phrase.lower().replace(" ", "_")
    return next((code for _, known, code in TABLE if known == status), phrase)


def install(server: FastAPI) -> None:
    """Register the handlers of errors with `server`."""

    @server.exception_handler(NstError)
    async def nst_error(request: Request, error: NstError) -> JSONResponse:
        return problem_of(error)

    @server.exception_handler(RequestValidationError)
    async def invalid_parameter(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = str(first["loc"][-1])
        return problem(422, "invalid", f"`{field}`: {first['msg']}, got {first.get('input')!r:.80}", field)

    @server.exception_handler(HTTPException)
    async def http_exception(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, code_of(error.status_code), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @server.exception_handler(DependencyException)
    async def unknown_script(request: Request, error: DependencyException) -> JSONResponse:
        return problem(404, "not_found", f"there is no script at {request.url.path[:200]}")

    @server.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        answer = problem(500, "internal", "something went wrong here; the server's log says what")
        answer.headers.update(security_headers())  # Starlette sends this answer past the middleware
        return answer
