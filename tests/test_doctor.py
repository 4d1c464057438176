"""What `doctor` looks at, and how it tells it."""

import tomllib
from pathlib import Path

from lookalike import doctor
from lookalike.doctor import examine, required_packages
from lookalike.extras import EXTRAS

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


METADATA = [
    "typer>=0.15",
    "no-such-core>=2.0",
    'matplotlib>=3.9; extra == "figures"',
    'no-such-extra>=1; extra == "demo"',
    "matplotlib>=3.9; extra == 'demo'",
    'typer; extra == "demo"',
]


def test_what_the_metadata_require_is_looked_for_once_and_the_core_first(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: METADATA[::-1])
    assert required_packages() == [
        ("no-such-core", ""),
        ("typer", ""),
        ("matplotlib", "demo"),
        ("no-such-extra", "demo"),
    ]


def test_an_installation_without_requirements_has_no_packages_to_look_for(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: None)
    assert required_packages() == []


def test_a_missing_package_is_broken_where_it_is_needed_and_else_an_offer(monkeypatch, settings):
    monkeypatch.setattr(doctor, "requires", lambda _: METADATA)
    found = {one.name: one for one in examine(settings)}
    assert found["no-such-core"].is_broken
    assert found["no-such-core"].remedy == "pip install no-such-core"
    assert not found["no-such-extra"].is_broken
    assert found["no-such-extra"].remedy == "pip install 'lookalike[demo]'"
    assert not found["typer"].remedy


def test_every_extra_of_the_project_is_known_to_the_code():
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert sorted(extras) == sorted(EXTRAS)
    assert {name: len(packages) for name, packages in extras.items()} == {
        name: len(modules) for name, modules in EXTRAS.items()
    }


def test_the_model_is_told_in_words(settings):
    (model,) = (one.value for one in examine(settings) if one.name == "embedding model")
    assert model.startswith("embedding, version 1, channel_order=RGB, ")
    assert ", model=efficientnet-lite0, " in model
    assert "{" not in model
