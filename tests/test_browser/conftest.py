"""One browser and one server for all tests of the page; both are dear, and end with them."""

import os
import subprocess
import sys

import pytest

from browser_pictures import make_pictures, make_query
from browser_server import ServedGallery, environment_of
from conftest import textured


@pytest.fixture(scope="package")
def browser():
    from test_browser.steps import ARGUMENTS, CHROMIUM, playwright_api

    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def place(tmp_path_factory, settings):
    """A folder with pictures, a query and an indexed gallery."""
    place = tmp_path_factory.mktemp("browser")
    make_pictures(place / "pictures")
    (place / "pictures" / "more").mkdir()
    for seed in range(20):
        tall = (120, 220) if seed % 2 else (160, 120)  # tall ones have the least room for words and buttons
        textured(seed, *tall).save(place / "pictures" / "more" / f"{seed}.png")
    (place / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nonsense")
    with open(os.fsencode(place / "pictures") + b"/odd \xe9.png", "wb") as file:
        textured(99).save(file, "PNG")
    make_query(place / "query.jpg")
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "--gallery",
        str(place / "g"),
        "index",
        str(place / "pictures"),
    ]
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **environment_of(place, settings)}
    )
    return place


@pytest.fixture(scope="package")
def server(place, settings):
    server = ServedGallery(place / "g", environment_of(place, settings))
    yield server
    server.kill()


@pytest.fixture
def open_page(browser, server):
    """Return a function that opens the page in a fresh profile; no console error goes unnoticed."""
    from test_browser.steps import EXPECTED_CONSOLE

    contexts, problems = [], []

    def open_one(path="/", *, width=1280, height=860, address=None, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, base_url=address or server.address, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on(
            "console", lambda line: problems.append(line.text) if line.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
        context.close()
    assert [text for text in problems if not EXPECTED_CONSOLE.search(text)] == []


@pytest.fixture(scope="package")
def reviewed(browser, server):
    """Duplicates were looked for once."""
    from test_browser.steps import expect

    page = browser.new_context(base_url=server.address).new_page()
    page.goto("/duplicates")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_role("button", name="Look for duplicates").click()
    assert asked.value.post_data_json["rules"] == [], "the usual order is the server's"
    expect(page.get_by_role("heading", name="Looking for duplicates")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.locator(".review").wait_for(timeout=120_000)
    page.context.close()
