"""What the tests in a browser have in common: the browser, and what a person does on several pages."""

import re
import shutil

import pytest

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

if CHROMIUM is None:
    pytest.skip("there is no chromium on this machine to test the page in", allow_module_level=True)
playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright_api.expect
expect.set_options(timeout=30_000)

# What the browser itself says of answers that are meant to be refusals.
EXPECTED_CONSOLE = re.compile(r"status of (404|401|422|503) |net::ERR_")


def cards(page):
    return page.locator(".results .card:has(a)")


def choose_query(page, place):
    """Search with the query, and wait until its copies are proven."""
    page.set_input_files("#chooser", place / "query.jpg")
    expect(cards(page).first).to_be_visible()


def names_shown(page):
    return page.locator(".results .card-name").all_inner_texts()


def contents_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
