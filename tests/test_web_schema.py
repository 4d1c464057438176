"""What the OpenAPI document says is what the server does, whatever is sent to it (schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from conftest import textured
from lookalike import Gallery
from served import served

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
QUICK = hypothesis_settings(
    max_examples=5,
    deadline=None,
    derandomize=True,  # the same requests in every run
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory, settings):
    place = tmp_path_factory.mktemp("schema")
    (place / "pictures").mkdir()
    for seed in range(4):
        textured(seed, 120, 90).save(place / "pictures" / f"{seed}.png")
    with Gallery.open(place / "g", create=True, settings=settings) as gallery:
        gallery.add(place / "pictures")
    return place


@pytest.fixture(scope="module")
def operations(place, settings):
    # Only folders of the test may be named: what is made up at random must not walk through the whole disk.
    with served(place / "g", settings, allow_folders=(str(place),)) as address:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
        yield [found.ok() for found in schema.get_all_operations()]


def test_every_json_answer_has_a_schema(operations):
    n_answers = 0
    for operation in operations:
        for status, answer in operation.definition.raw["responses"].items():
            content = answer.get("content", {})
            if status.startswith("2") and "application/json" in content:
                n_answers += 1
                assert content["application/json"]["schema"], operation.label
    assert n_answers >= 30


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_finds_a_server_error_or_an_undocumented_answer(operations, mode):
    assert len(operations) >= 30
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @QUICK
        def ask(case):
            case.call_and_validate(checks=CHECKS, timeout=30)

        try:
            ask()
        except Unsatisfiable:
            assert mode == GenerationMode.NEGATIVE, operation.label  # where nothing can be wrong
