"""The web page in a real browser: what a person does with mouse, keyboard, finger and clipboard."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import httpx
import pytest

import lookalike
from browser_pictures import COPIED, make_pictures, make_query
from browser_server import ServedGallery
from conftest import textured
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.web.jobs import Kind
from served import wait_for_job

PACKAGE = Path(lookalike.__file__).parent
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "a token that is long enough for a test"

if CHROMIUM is None:
    pytest.skip("there is no chromium on this machine to test the page in", allow_module_level=True)
playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright_api.expect
expect.set_options(timeout=30_000)

# What the browser itself says of answers that are meant to be refusals.
EXPECTED_CONSOLE = re.compile(r"status of (404|401|422|503) |net::ERR_")


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
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


def environment_of(place, settings):
    return {
        "LOOKALIKE_JOBS": str(settings.jobs),
        "XDG_DATA_HOME": str(place / "data"),
    }


@pytest.fixture(scope="module")
def server(place, settings):
    server = ServedGallery(place / "g", environment_of(place, settings))
    yield server
    server.kill()


@pytest.fixture
def open_page(browser, server):
    """Return a function that opens the page in a fresh profile; no console error goes unnoticed."""
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


def cards(page):
    return page.locator(".results .card:has(a)")


def choose_query(page, place):
    """Search with the query, and wait until its copies are proven."""
    page.set_input_files("#chooser", place / "query.jpg")
    expect(cards(page).first).to_be_visible()


def names_shown(page):
    return page.locator(".results .card-name").all_inner_texts()


# Search


def test_a_chosen_picture_finds_its_copies_and_the_address_holds_the_question(open_page, place):
    page = open_page()
    choose_query(page, place)
    assert re.search(r"\?query=up:[0-9a-f]{32}$", page.url)
    assert {"cat.jpg", "cat again.jpg", "cat small.jpg"} == set(names_shown(page)[:3])
    expect(page.locator(".card .relation-copy")).to_have_count(3)
    expect(page.locator(".card-why").first).to_contain_text("points agree")
    before = names_shown(page)
    page.reload()
    expect(page.locator(".card .relation-copy")).to_have_count(3)
    assert names_shown(page) == before
    page.go_back()
    expect(page.get_by_role("heading", name="Which picture are you looking for?")).to_be_visible()
    page.go_forward()
    expect(cards(page).first).to_be_visible()
    assert names_shown(page) == before


def test_the_address_of_a_search_can_be_shared(open_page, place):
    page = open_page()
    choose_query(page, place)
    stranger = open_page(page.url)
    expect(stranger.locator(".card .relation-copy")).to_have_count(3)


def test_a_dropped_picture_is_searched(open_page, place):
    page = open_page()
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
            return transfer;
        }""",
        list((place / "query.jpg").read_bytes()),
    )
    page.dispatch_event("main", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop it to search")).to_be_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect(cards(page).first).to_be_visible()
    expect(page.locator(".query-name")).to_have_text("dropped.jpg")


def drop_on(page, name, kind):
    transfer = page.evaluate_handle(
        """([name, type]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["text"], name, { type }));
            return transfer;
        }""",
        [name, kind],
    )
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})


def test_what_is_dropped_and_no_picture_is_said_and_never_sent(open_page):
    page = open_page()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    drop_on(page, "letter.pdf", "application/pdf")
    expect(page.get_by_role("alert")).to_contain_text("This is no picture")
    page.evaluate("() => { DataTransferItem.prototype.webkitGetAsEntry = () => ({ isDirectory: true }); }")
    drop_on(page, "Holidays", "")
    expect(page.get_by_role("alert")).to_contain_text("name it on the page Library")
    assert sent == []


def test_what_the_browser_cannot_read_is_not_tried_for_ever(open_page):
    page = open_page()
    page.route("**/api/v1/search*", lambda route: route.abort())
    page.evaluate(
        """() => {
            const wait = setTimeout;
            window.setTimeout = (run, ms, ...more) => wait(run, Math.min(ms, 20), ...more);
        }"""
    )
    drop_on(page, "Holidays", "")
    expect(page.get_by_role("alert").filter(has_text="cannot be sent")).to_be_visible()


def test_a_pasted_picture_is_searched(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 90 });
            canvas.getContext("2d").fillRect(10, 10, 60, 40);
            const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
            await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }"""
    )
    page.keyboard.press("Control+V")
    expect(cards(page).first).to_be_visible()
    assert "query=up:" in page.url


def test_a_file_that_is_no_picture_is_refused_with_the_reason(open_page, place):
    page = open_page()
    page.set_input_files(
        "#chooser", {"name": "notes.txt", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(page.get_by_role("alert").locator("p")).not_to_be_empty()
    expect(page.get_by_role("button", name="Choose a picture")).to_be_visible()


def test_a_box_drawn_on_the_query_searches_for_that_part(open_page, place):
    page = open_page()
    choose_query(page, place)
    whole = page.locator(".card-score").first.inner_text()
    expect(page.locator(".part-picker img")).to_have_js_property("complete", True)
    box = page.locator(".part-picker img").bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"], steps=4)
    page.mouse.up()
    expect(page.get_by_role("heading", name="What looks like that part")).to_be_visible()
    sides = [float(side) for side in re.search(r"box=([\d.,]+)", page.url)[1].split(",")]
    assert sides == pytest.approx([0.1, 0.1, 0.4, 0.6], abs=0.02)
    expect(page.locator(".card-score").first).not_to_have_text(whole)
    page.get_by_role("button", name="Whole picture").click()
    expect(page.get_by_role("heading", name="What looks like it")).to_be_visible()
    assert "box=" not in page.url


def test_a_box_can_be_drawn_with_the_keyboard_alone(open_page, place):
    page = open_page()
    choose_query(page, place)
    page.keyboard.press("b")
    frame = page.get_by_role("application")
    expect(frame).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"box=0\.27,0\.25,0\.5,0\.52"))


def test_conditions_narrow_the_answer_and_back_takes_them_away(open_page, place):
    page = open_page()
    choose_query(page, place)
    page.get_by_label("Relation").select_option("copy")
    expect(page).to_have_url(re.compile("relation=copy"))
    expect(cards(page)).to_have_count(3)
    page.get_by_role("button", name="Take away: Relation: copy").click()
    expect(cards(page).nth(5)).to_be_visible()
    page.get_by_role("checkbox", name="PNG").check()
    expect(page.locator(".chips")).to_contain_text("PNG")
    expect(page.locator(".card-name").first).to_contain_text("png")
    page.go_back()
    expect(page.locator(".chips")).to_have_count(0)


def test_thumbs_refine_the_answer_at_once_and_are_stored(open_page, place):
    page = open_page()
    choose_query(page, place)
    liked = cards(page).filter(has_text="astronaut.jpg")
    with page.expect_response("**/api/v1/feedback") as answer:
        liked.get_by_role("button", name="More like astronaut.jpg").click()
    assert answer.value.status == 204
    expect(page).to_have_url(re.compile(r"liked=\d+"))
    expect(liked.get_by_role("button", name="More like astronaut.jpg")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_text("More like", exact=True)).to_be_visible()
    page.get_by_role("button", name="Take this opinion back").click()
    expect(page).not_to_have_url(re.compile("liked="))


def test_what_is_liked_in_the_viewer_stays_liked_when_it_is_closed(open_page, place):
    page = open_page()
    choose_query(page, place)
    cards(page).first.locator("a").click()
    viewer = page.get_by_role("dialog")
    with page.expect_response("**/api/v1/feedback"):
        viewer.get_by_role("button", name=re.compile("^More like")).click()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"liked=\d+"))
    expect(page).not_to_have_url(re.compile("open="))
    page.go_back()
    expect(page).not_to_have_url(re.compile("liked="))


def test_more_results_come_while_scrolling_each_once(open_page, place):
    page = open_page()
    choose_query(page, place)
    expect(cards(page)).to_have_count(40)
    for _ in range(12):
        page.mouse.move(800, 500)
        page.mouse.wheel(0, 3000)
        page.wait_for_timeout(120)
    expect(page.get_by_text(re.compile("That is all"))).to_be_visible()
    titles = page.locator(".results .card-name").evaluate_all("names => names.map((name) => name.title)")
    assert len(titles) == len(set(titles)) > 40


def test_a_path_that_is_no_text_is_shown_with_its_bytes(open_page):
    page = open_page()
    expect(page.get_by_text(r"odd \xE9.png").first).to_be_attached()


# The viewer


def test_the_viewer_proves_a_match_and_compares_in_four_ways_by_keys(open_page, place):
    page = open_page()
    choose_query(page, place)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(".verdict-words")).to_contain_text("one picture, edited")
    corners = viewer.locator(".outline polygon").last.get_attribute("points").split()
    assert len(corners) == 4
    for key, mode in (("w", "slider"), ("f", "flicker"), ("d", "difference"), ("s", "side")):
        page.keyboard.press(key)
        expect(viewer.locator(".stage")).to_have_attribute("data-mode", mode)
    page.keyboard.press("n")
    expect(viewer.locator(".verdict-words")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    assert "open=" not in page.url
    assert page.evaluate("document.activeElement.className") == "card-picture"
    assert focused


def test_both_pictures_are_laid_over_each_other_where_they_agree(open_page, place):
    """The difference of a piece and the picture it was cut from is nearly black everywhere."""
    page = open_page()
    choose_query(page, place)
    cards(page).filter(has_text="cat.jpg").locator("a").click()
    expect(page.locator(".verdict-words")).to_be_visible()
    page.keyboard.press("o")
    page.keyboard.press("d")
    page.wait_for_timeout(400)
    area = page.locator(".stage").bounding_box()
    inner = {
        "x": area["x"] + 20,
        "y": area["y"] + area["height"] * 0.3,
        "width": area["width"] - 40,
        "height": area["height"] * 0.4,
    }
    assert mean_level(page.screenshot(clip=inner)) < 12
    page.keyboard.press("s")
    page.wait_for_timeout(300)
    assert mean_level(page.screenshot(clip=inner)) > 40


def mean_level(png):
    import io

    import numpy as np
    from PIL import Image

    return float(np.asarray(Image.open(io.BytesIO(png)).convert("L"), np.float64).mean())


def test_side_by_side_zooms_both_pictures_to_the_same_part(open_page, place):
    page = open_page()
    choose_query(page, place)
    cards(page).filter(has_text="cat small.jpg").locator("a").click()
    expect(page.locator(".verdict-words")).to_be_visible()
    page.locator(".pane").first.hover()
    for _ in range(4):
        page.mouse.wheel(0, -400)
    expect(page.locator(".stage")).to_have_class(re.compile("is-zoomed"))
    first, second = (page.locator(".layer img").nth(place).bounding_box()["width"] for place in (0, 1))
    # The query is 60 % of the photo, so that the match must be drawn 1 / 0.6 as wide for equal scales.
    assert second / first == pytest.approx(1 / 0.6, rel=0.05)


def test_the_address_of_an_opened_result_opens_it_again(open_page, place):
    page = open_page()
    choose_query(page, place)
    cards(page).first.locator("a").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    stranger = open_page(page.url)
    expect(stranger.get_by_role("dialog").locator(".verdict-words")).to_be_visible()
    stranger.keyboard.press("Escape")
    expect(cards(stranger).first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_one_can_search_on_with_a_result(open_page, place):
    page = open_page()
    choose_query(page, place)
    card = cards(page).filter(has_text="cat small.jpg")
    card.hover()
    card.get_by_role("button", name="Search with cat small.jpg").click()
    expect(page).to_have_url(re.compile(r"query=id:\d+$"))
    expect(page.locator(".query-name")).to_have_text("cat small.jpg")


# Duplicates


def test_before_the_first_search_for_duplicates_the_page_invites_to_one(open_page, place, settings):
    server = ServedGallery(place / "g", environment_of(place, settings))
    problems = []
    try:
        page = open_page(address=server.address)
        page.on("response", lambda answer: problems.append(answer.url) if answer.status >= 400 else None)
        page.goto("/duplicates")
        expect(page.get_by_role("heading", name="Find the copies you forgot")).to_be_visible()
        assert problems == []
        page.context.close()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def reviewed(browser, server):
    """Duplicates were looked for once."""
    page = browser.new_context(base_url=server.address).new_page()
    page.goto("/duplicates")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_role("button", name="Look for duplicates").click()
    assert asked.value.post_data_json["rules"] == [], "the usual order is the server's"
    expect(page.get_by_role("heading", name="Looking for duplicates")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.locator(".review").wait_for(timeout=120_000)
    page.context.close()


def open_review(open_page, server, *, path="/duplicates"):
    """Open the review where nothing is decided yet."""
    with httpx.Client(base_url=f"{server.address}/api/v1", timeout=60) as client:
        report = client.get("/duplicates", params={"limit": 500}).json()
        nothing = [{"number": group["number"], "state": None} for group in report["groups"]]
        answer = client.post("/decisions", json={"report_id": report["report_id"], "groups": nothing})
        assert answer.status_code == 200
    page = open_page(path)
    expect(page.locator(".decision")).to_be_visible()
    return page


def contents_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_ten_groups_are_reviewed_by_keys_applied_and_undone(open_page, server, place, reviewed):
    before = contents_of(place / "pictures")
    page = open_review(open_page, server)
    expect(page.get_by_role("heading", name=f"{len(COPIED)} groups")).to_be_visible()
    texts = page.locator(".rail-words strong").all_inner_texts()
    saved = [float(text.split()[0]) if text[0].isdecimal() else 0 for text in texts]  # or "nothing to save"
    assert saved == sorted(saved, reverse=True)
    for done in range(1, 11):
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"Group {done + 1} of")).to_be_visible()
    expect(page.locator("[data-state=accepted]")).to_have_count(10)
    page.keyboard.press("p")
    sheet = page.locator("dialog.plan")
    expect(sheet).to_contain_text("Nothing has happened yet")
    going = sheet.locator(".plan-row p > .path").all_inner_texts()
    assert len(going) >= 10
    assert contents_of(place / "pictures") == before
    page.keyboard.press("Enter")
    expect(sheet).to_contain_text("Done:")
    gone = set(before) - set(contents_of(place / "pictures"))
    assert {str(path) for path in gone} == set(going)
    sheet.get_by_role("button", name="Close").last.click()
    left = len(COPIED) - 10
    expect(page.get_by_role("heading", name=re.compile(f"^{left} groups?$"))).to_be_visible()
    expect(page.locator(".rail li:not([data-state=done])")).to_have_count(left)
    page.reload()
    bring_back(page)
    expect(page.locator(".rail-item")).to_have_count(len(COPIED))
    expect(page.locator("[data-state=accepted]")).to_have_count(0)
    expect(page.get_by_role("button", name="Plan", exact=True)).to_be_disabled()
    assert contents_of(place / "pictures") == before


def bring_back(page):
    """Undo the last run by the history."""
    page.get_by_role("button", name="History").click()
    sheet = page.get_by_role("dialog", name="What was done to files")
    sheet.get_by_role("button", name=re.compile("^Bring")).first.click()
    expect(sheet.get_by_role("status")).to_contain_text("back where they were")
    sheet.get_by_role("button", name="Close").click()


def test_what_is_applied_counts_and_stops_and_comes_back_after_the_last_group(
    browser, place, settings, tmp_path
):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for seed in range(40):
        textured(seed, 200, 150).save(pictures / f"{seed}.png")
        (pictures / f"{seed} again.png").write_bytes((pictures / f"{seed}.png").read_bytes())
    before = contents_of(pictures)
    server = ServedGallery(tmp_path / "g", environment_of(place, settings), "--create")
    try:
        page = browser.new_context(base_url=server.address).new_page()
        page.goto("/library")
        page.get_by_label("Folders or files on this machine").fill(str(pictures))
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("80 added")).to_be_visible()
        page.goto("/duplicates")
        page.get_by_role("button", name="Look for duplicates").click()
        expect(page.get_by_role("heading", name="40 groups")).to_be_visible(timeout=120_000)
        accept_all(page)
        page.keyboard.press("p")
        sheet = page.locator("dialog.plan")
        apply = sheet.get_by_role("button", name=re.compile("into the trash"))
        expect(apply).to_be_enabled()
        page.route("**/stop", lambda route: route.continue_())
        apply.click()
        expect(sheet.locator(".act-words")).to_contain_text(re.compile(r"Putting files away · \d+ of 40"))
        sheet.get_by_role("button", name="Stop here").click()
        expect(sheet.get_by_role("status")).to_contain_text(re.compile("Stopped after|Done:"))
        sheet.get_by_role("button", name="Close").last.click()
        n_gone = len(before) - len(contents_of(pictures))
        assert 1 <= n_gone <= 40
        if n_gone < 40:
            expect(page.get_by_role("heading", name=re.compile(f"^{40 - n_gone} groups?$"))).to_be_visible()
            page.keyboard.press("p")
            sheet.get_by_role("button", name=re.compile("into the trash")).click()
            expect(sheet.get_by_role("status")).to_contain_text("Done:")
            sheet.get_by_role("button", name="Close").last.click()
        expect(page.get_by_role("heading", name="All 40 groups are done")).to_be_visible()
        assert len(contents_of(pictures)) == 40
        page.reload()
        bring_back(page)
        expect(page.locator(".review")).to_be_visible()
        while len(contents_of(pictures)) < len(before):
            bring_back(page)
        assert contents_of(pictures) == before
        expect(page.get_by_role("heading", name="40 groups")).to_be_visible()
        page.context.close()
    finally:
        server.kill()


def accept_all(page):
    page.keyboard.press("r")
    sheet = page.get_by_role("dialog", name="Decide about many groups")
    sheet.get_by_role("button", name="Accept them").click()


def test_what_is_decided_in_one_tab_is_seen_in_the_other_and_overwrites_nothing(open_page, server, reviewed):
    page = open_review(open_page, server)
    other = page.context.new_page()
    other.goto("/duplicates?group=3")
    expect(other.locator(".decision")).to_be_visible()
    page.bring_to_front()
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=accepted]")).to_have_count(1)
    other.bring_to_front()
    other.keyboard.press("Enter")
    expect(other.locator("[data-state=accepted]")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-state=accepted]")).to_have_count(2)
    other.close()


def test_the_page_says_what_an_old_run_has_not_seen(open_page, server, place, reviewed):
    picture = place / "late" / "late.png"
    picture.parent.mkdir()
    textured(4711).save(picture)
    with httpx.Client(base_url=f"{server.address}/api/v1", timeout=60) as client:
        wait_for_job(
            client, client.post("/jobs", json={"kind": "index", "paths": [str(picture)]}).json(), api=""
        )
        page = open_review(open_page, server)
        expect(page.locator(".review-outdated")).to_contain_text("added since")
        assert client.post("/forget", json={"paths": [str(picture)]}).json() == {"removed": 1}


def test_the_stage_shows_the_chosen_picture_of_a_large_group(browser, place, settings, tmp_path):
    pictures = tmp_path / "pictures"
    (pictures / "left out").mkdir(parents=True)
    textured(1, 200, 150).save(pictures / "0.png")
    for number in range(1, 10):
        (pictures / f"{number}.png").write_bytes((pictures / "0.png").read_bytes())
    textured(2).save(pictures / "left out" / "2.png")
    command = [sys.executable, "-m", "lookalike", "--gallery", str(tmp_path / "g"), "index", str(pictures)]
    environment = environment_of(place, settings)
    subprocess.run(
        [*command, "--exclude", "left*"], check=True, capture_output=True, env={**os.environ, **environment}
    )
    server = ServedGallery(tmp_path / "g", environment)
    try:
        page = browser.new_context(base_url=server.address).new_page()
        page.goto("/duplicates")
        page.get_by_role("button", name="Look for duplicates").click()
        expect(page.get_by_role("heading", name="1 group")).to_be_visible(timeout=120_000)
        for place_in_group in range(3, 11):
            page.keyboard.press("ArrowRight")
            expect(page.locator('.fact-picture[aria-pressed="true"] kbd')).to_have_text(str(place_in_group))
            expect(page.locator(".stage")).to_contain_text(f"{place_in_group} · ")
        page.goto("/library")
        expect(page.locator(".folder-rows li")).to_contain_text("10 pictures")
        page.get_by_label("Folders or files on this machine").fill(
            f'"{pictures}/0.png"\nfile://{pictures}/left%20out/2.png\n~/no such folder'
        )
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".job-done")).to_contain_text("1 added · 1 unchanged · 1 could not be read")
        expect(page.locator(".job-done")).to_contain_text(f"{Path.home()}/no such folder")
        page.get_by_role("button", name="Look again").first.click()
        expect(page.get_by_text("10 unchanged")).to_be_visible()
        expect(page.locator(".job-done")).not_to_contain_text("added")
        page.get_by_label("Folders or files on this machine").fill("/no/such/folder")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".job-done[data-failed]")).to_contain_text("there is no such file or folder")
        expect(page.get_by_label("Folders or files on this machine")).to_have_value("/no/such/folder")
        page.context.close()
    finally:
        server.kill()


def test_a_keeper_chosen_by_key_that_does_not_show_all_lets_nothing_go(open_page, server, place, reviewed):
    before = contents_of(place / "pictures")
    page = open_review(open_page, server)
    page.locator(".rail-item").filter(has_text="4 pictures").click()
    cut = page.locator(".fact-picture").evaluate_all(
        "them => them.findIndex((one) => one.ariaLabel.includes('rocket cut'))"
    )
    page.keyboard.press(str(cut + 1))
    expect(page.locator(".fact-head").nth(cut)).to_contain_text("stays")
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    sheet = page.get_by_role("dialog", name="What would happen")
    expect(sheet).to_contain_text("Nothing would happen.")
    expect(sheet).to_contain_text("rocket.jpg")
    expect(sheet.get_by_role("button", name=re.compile("into the trash"))).to_be_disabled()
    assert contents_of(place / "pictures") == before


def test_what_is_no_duplicate_is_remembered_and_can_be_taken_back(open_page, server, reviewed):
    page = open_review(open_page, server)
    group = page.locator(".rail-item").filter(has_text="2 pictures").first
    group.click()
    here = page.url
    with page.expect_response("**/api/v1/verdicts") as answer:
        page.keyboard.press("x")
    assert answer.value.status == 204
    expect(page.locator("[data-state=apart]")).to_have_count(1)
    page.keyboard.press("k")
    expect(page).to_have_url(here)
    expect(page.locator(".fate-apart")).to_be_visible()
    with page.expect_response("**/api/v1/verdicts"):
        page.keyboard.press("x")
    expect(page.locator("[data-state=apart]")).to_have_count(0)


def test_many_groups_are_accepted_by_a_rule(open_page, server, reviewed):
    page = open_review(open_page, server)
    page.keyboard.press("r")
    sheet = page.get_by_role("dialog", name="Decide about many groups")
    sheet.get_by_label("Groups of").select_option("copy")
    expect(sheet.get_by_role("status")).to_contain_text(f"accepts {len(COPIED)} groups")
    sheet.get_by_role("button", name="Accept them").click()
    expect(page.locator("[data-state=accepted]")).to_have_count(len(COPIED))
    page.reload()
    expect(page.locator("[data-state=accepted]")).to_have_count(len(COPIED))


# Library


def test_the_library_says_what_is_there_and_why_a_file_is_not(open_page, place):
    page = open_page("/library")
    expect(page.get_by_text(str(place / "g"))).to_be_visible()
    row = page.get_by_role("row").filter(has_text="broken.jpg")
    expect(row).to_contain_text("cut short")
    expect(page.get_by_text("All is well.")).to_be_visible()


def test_a_folder_is_added_with_progress_and_can_be_searched(open_page, place):
    more = place / "new pictures"
    more.mkdir()
    for seed in range(200, 212):
        textured(seed).save(more / f"{seed}.png")
    page = open_page("/library")
    page.get_by_label("Folders or files on this machine").fill(str(more))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("12 added")).to_be_visible()
    expect(page.locator(".folder-rows li").filter(has_text="new pictures")).to_contain_text("12 pictures")


# Language, size, keys, and being read out


def test_the_language_follows_the_browser_and_a_choice_is_remembered(open_page):
    page = open_page(locale="zh-CN")
    expect(page.get_by_role("heading", name="您要找哪张图片？")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Which picture are you looking for?")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Which picture are you looking for?")).to_be_visible()


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


def test_both_languages_have_words_for_the_same_things(open_page):
    page = open_page()
    english, chinese = (
        page.evaluate(f"import('/static/words/{tag}.js').then((all) => Object.keys(all.{tag}.words))")
        for tag in ("en", "zh")
    )
    assert english == chinese


def test_a_phone_shows_every_page_without_scrolling_sideways(open_page, place, reviewed):
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True)
    assert_fits(page)
    choose_query(page, place)
    expect(page.locator(".card .relation-copy")).to_have_count(3)
    assert_fits(page)
    cards(page).first.locator("a").tap()
    expect(page.locator(".verdict-words")).to_be_visible()
    assert_fits(page)
    page.goto("/duplicates")
    expect(page.locator(".decision")).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="Library").tap()
    expect(page.get_by_text("All is well.")).to_be_visible()
    assert_fits(page)


def assert_fits(page):
    # A phone widens its inner width to what overflows, so the width of its screen is the measure.
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_single_keys_are_shown_and_can_be_switched_off(open_page, place):
    page = open_page()
    choose_query(page, place)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("walk through the results")
    sheet.get_by_label("Listen to single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator(".part-box")).to_be_hidden()


def test_a_theme_is_chosen_and_kept(open_page):
    page = open_page(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name=re.compile("Theme")).click()
    page.get_by_role("button", name=re.compile("Theme: light")).click()
    expect(page.get_by_role("button", name=re.compile("Theme: dark"))).to_be_focused()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(open_page, place, reviewed, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(".browse .card a").first).to_be_visible()
    assert_accessible(page, "start")
    choose_query(page, place)
    expect(page.locator(".card .relation-copy")).to_have_count(3)
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What looks like that part")).to_be_visible()
    assert_accessible(page, "results")
    cards(page).first.locator("a").click()
    expect(page.locator(".verdict-words")).to_be_visible()
    assert_accessible(page, "viewer")
    page.goto("/duplicates")
    expect(page.locator(".decision")).to_be_visible()
    assert_accessible(page, "duplicates")
    page.keyboard.press("?")
    assert_accessible(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    expect(page.locator(".plan-words")).to_be_visible()
    assert_accessible(page, "plan")
    page.goto("/library")
    expect(page.get_by_text("All is well.")).to_be_visible()
    page.locator("details").evaluate_all("them => them.forEach((one) => (one.open = true))")
    assert_accessible(page, "library")


def assert_accessible(page, name):
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(250)
    violations = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], name


# When things go slowly or wrong


def test_a_slow_network_shows_placeholders_and_then_the_answer(open_page, place):
    page = open_page()
    page.route("**/api/v1/search**", lambda route: (page.wait_for_timeout(700), route.continue_()))
    page.set_input_files("#chooser", place / "query.jpg")
    expect(page.locator(".grid-waiting")).to_be_visible()
    expect(page.get_by_text("Looking at query.jpg")).to_be_visible()
    expect(cards(page).first).to_be_visible()
    expect(page.locator(".grid-waiting")).to_have_count(0)


def address_of_some_query(page):
    pictures = page.request.get("/api/v1/pictures?limit=1").json()["pictures"]
    return f"/?query=id:{pictures[0]['id']}"


def test_a_refusal_is_said_with_a_way_to_try_again(open_page):
    page = open_page()
    page.route(
        "**/api/v1/search**",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            body='{"title":"No","detail":"That makes no sense.","status":422}',
        ),
    )
    page.goto(address_of_some_query(page))
    expect(page.get_by_role("alert")).to_contain_text("That makes no sense.")
    page.unroute("**/api/v1/search**")
    page.get_by_role("button", name="Try again").click()
    expect(cards(page).first).to_be_visible()


def test_a_busy_server_is_asked_again(open_page):
    page = open_page()
    answers = iter([503, 503])

    def refuse_twice(route):
        if next(answers, None) is None:
            route.continue_()
        else:
            route.fulfill(
                status=503, headers={"Retry-After": "0"}, content_type="application/problem+json", body="{}"
            )

    page.route("**/api/v1/search**", refuse_twice)
    page.goto(address_of_some_query(page))
    expect(cards(page).first).to_be_visible()


def test_a_server_that_was_killed_is_waited_for_and_the_page_goes_on(open_page, place, settings):
    server = ServedGallery(place / "g", environment_of(place, settings))
    page = open_page(address=server.address)
    expect(page.locator(".browse .card a").first).to_be_visible()
    server.kill()
    page.locator(".browse .card a").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    server.start()
    try:
        expect(cards(page).first).to_be_visible()
        expect(page.get_by_text("The server does not answer")).to_have_count(0)
    finally:
        server.kill()


def test_a_gallery_with_a_token_asks_to_sign_in(open_page, place, settings):
    (place / "token").write_text(TOKEN)
    server = ServedGallery(place / "g", environment_of(place, settings), "--token-file", str(place / "token"))
    try:
        page = open_page(address=server.address)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the token")
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator(".browse .card a").first).to_be_visible()
        assert TOKEN not in page.url
        page.reload()
        expect(page.locator(".browse .card a").first).to_be_visible()
        page.context.close()
    finally:
        server.kill()
