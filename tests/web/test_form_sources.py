"""What the page says where its address names a run that is not there."""

import pytest
from fastapi.testclient import TestClient

from nst.web import ids
from tests.web.test_gallery_page import whole_answer


@pytest.mark.parametrize(
    ("query", "headings"),
    [
        ("?like=nowhere", ["The settings were not taken"]),
        ("?content_of=nowhere", ["The result was not taken"]),
        ("?run=nowhere", []),  # the status says it
    ],
)
def test_settings_and_results_of_an_unknown_run_are_said_not_to_be_there(
    client: TestClient, query: str, headings: list[str]
) -> None:
    found = client.get("/_dash-dependencies").json()
    readers = [each["output"] for each in found if [given["id"] for given in each["inputs"]] == [ids.FORM_SOURCE]]
    answers = [whole_answer(client, {}, output, {ids.FORM_SOURCE: query}) for output in readers]
    said = [answer["sideUpdate"][ids.TOAST] for answer in answers if "sideUpdate" in answer]
    assert [toast["header"] for toast in said] == headings
    assert all(toast["children"] == "There is no run 'nowhere'" for toast in said)
    assert all(answer["response"] == {} for answer in answers), "the form stays as it is"
