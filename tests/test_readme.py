"""The README says the same in both of its languages."""

import re
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

SAME_IN_BOTH = {
    "commands": r"^    (?:\$|make)[^#\n]*[^#\s]",
    "Python": r"```python\n.*?```",
    "code in the text": r"`[^`\n]+`",
    "links": r"\]\((?!README)[^)]+\)",
    "headings": r"^#+(?= )",
}


@pytest.mark.parametrize("part", SAME_IN_BOTH)
def test_both_languages_have_the_same(part):
    english, chinese = (
        Counter(re.findall(SAME_IN_BOTH[part], text, re.MULTILINE | re.DOTALL))
        for text in (
            (PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
        )
    )
    assert english
    assert english == chinese
