"""The page has words in both languages for whatever the server tells it."""

import ast
import re
from pathlib import Path
from typing import get_args

import lookalike
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.web.jobs import Kind

PACKAGE = Path(lookalike.__file__).parent


def test_every_job_and_stage_has_words_in_both_languages():
    stages = {"start"} | set().union(*map(stages_in, ("adding", "duplicates", "acting", "web/routes")))
    assert {"look", "add", "details", "apply", "undo", "shared parts"} <= stages
    for tag in ("en", "zh"):
        words = (PACKAGE / "web" / "static" / "words" / f"{tag}.js").read_text(encoding="utf-8")
        assert {stage for stage in stages if f'"job.stage.{stage}":' not in words} == set(), tag
        assert {kind for kind in get_args(Kind) if f'"job.{kind}":' not in words} == set(), tag


def test_the_page_knows_every_rule_for_keepers_and_asks_for_the_usual_order_by_itself():
    page = (PACKAGE / "web" / "static" / "duplicates.js").read_text(encoding="utf-8")
    listed = re.search(r"const RULES = \[(.*?)\];", page)[1]
    assert re.findall(r'"([^"]+)"', listed) == list(DEFAULT_RULES)
    for tag in ("en", "zh"):
        words = (PACKAGE / "web" / "static" / "words" / f"{tag}.js").read_text(encoding="utf-8")
        assert {rule for rule in DEFAULT_RULES if f'"rule.{rule}":' not in words} == set(), tag


def stages_in(folder):
    """Return the names that the code of a folder gives to the stages of its runs."""
    found = set()
    for path in (PACKAGE / folder).glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                if name in ("run", "Progress"):
                    found.add(call.args[0].value)
                elif name == "Recipe" and path.name == "find.py":
                    found.add(call.args[0].value)  # a search for shared parts is a stage of its own
    return found
