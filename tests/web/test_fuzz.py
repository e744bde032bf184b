"""Requests generated from the OpenAPI document: each answer is one that the document describes."""

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from nst.web.api import router
from nst.web.api.openapi import DESCRIPTIONS
from tests.web.sites import served
from tests.web.test_api import follow, start

DOCUMENT = FastAPI(routes=router.routes).openapi()
# The coverage phase heeds no `max_examples`; of these it makes hundreds of requests that each wait for a picture.
PAINTING = {"include-path": ["/api/v1/stylize", "/api/v1/variations"], "phases": {"coverage": {"enabled": False}}}
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict({"operations": [PAINTING]}))
BOUNDED = hypothesis.settings(
    max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
TOLD = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
# Dask's client lives in this process and draws from the `random` module when it likes, also while a request is made up.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the .random. module:hypothesis.errors.HypothesisWarning")
BUSY = {503, 504}  # server errors that are intended


def no_fault(context: CheckContext, response: schemathesis.Response, case: schemathesis.Case) -> None:
    assert response.status_code < 500 or response.status_code in BUSY, response.text


@pytest.fixture(scope="module")
def address(client: TestClient) -> Iterator[str]:
    """The site of `client` behind a real server."""
    with served(client.app) as address:
        yield address


@pytest.fixture
def finished(client: TestClient) -> str:
    """The id of a finished run, while no other runs."""
    for state in ("queued", "running"):
        for run in client.get("/api/v1/runs", params={"state": state}).json()["runs"]:
            client.post(f"/api/v1/runs/{run['id']}/stop")
    run_id = start(client)
    follow(client, run_id)
    return run_id


def sent(case: schemathesis.Case, address: str) -> None:
    if case.path.endswith("/stylize"):
        case.query["timeout"] = 1
    case.call_and_validate(address, checks=[no_fault, *TOLD], timeout=60)


@SCHEMA.exclude(path_regex=r"\{run_id\}").parametrize()
@BOUNDED
def test_requests_without_a_run_get_answers_of_the_document(case: schemathesis.Case, address: str) -> None:
    sent(case, address)


@SCHEMA.exclude(path_regex=r"^(?!.*\{run_id\})").parametrize()  # beside a configuration, `include` leaves nothing out
@BOUNDED
def test_requests_with_a_run_get_answers_of_the_document(case: schemathesis.Case, address: str, finished: str) -> None:
    case.path_parameters["run_id"] = finished
    sent(case, address)


def test_the_document_contains_every_error() -> None:
    answers = {
        int(code) for methods in DOCUMENT["paths"].values() for said in methods.values() for code in said["responses"]
    }
    assert answers - {200, 201, 202, 204} == set(DESCRIPTIONS)
