"""What `doctor` looks at, and how it tells it."""

import re
import tomllib
from pathlib import Path

import pytest

from lookalike import doctor
from lookalike.doctor import CORE_PACKAGES, EXTRA_PACKAGES, examine

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def names_of(requirements):
    return [re.split(r"[<>=!~;\[ ]", one)[0] for one in requirements]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]


def test_every_package_that_an_installation_requires_is_looked_for(project):
    assert sorted(CORE_PACKAGES) == sorted(names_of(project["dependencies"]))


def test_every_package_of_an_extra_is_looked_for(project):
    extras = project["optional-dependencies"].values()
    assert sorted(EXTRA_PACKAGES) == sorted(name for extra in extras for name in names_of(extra))


def test_a_missing_package_is_broken_where_it_is_needed_and_else_an_offer(monkeypatch, settings):
    monkeypatch.setattr(doctor, "CORE_PACKAGES", ("no-such-core",))
    monkeypatch.setattr(doctor, "EXTRA_PACKAGES", ("no-such-extra",))
    found = {one.name: one for one in examine(settings)}
    assert found["no-such-core"].is_broken
    assert not found["no-such-extra"].is_broken
    assert found["no-such-extra"].remedy == "pip install no-such-extra"


def test_the_model_is_told_in_words(settings):
    (model,) = (one.value for one in examine(settings) if one.name == "embedding model")
    assert model.startswith("embedding, version 1, channel_order=RGB, ")
    assert ", model=efficientnet-lite0, " in model
    assert "{" not in model
