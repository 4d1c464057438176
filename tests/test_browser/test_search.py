"""A picture is chosen, dropped, pasted or cut out, and its copies are found."""

import re

import pytest

from test_browser.steps import cards, choose_query, expect, names_shown


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


def test_one_can_search_on_with_a_result(open_page, place):
    page = open_page()
    choose_query(page, place)
    card = cards(page).filter(has_text="cat small.jpg")
    card.hover()
    card.get_by_role("button", name="Search with cat small.jpg").click()
    expect(page).to_have_url(re.compile(r"query=id:\d+$"))
    expect(page.locator(".query-name")).to_have_text("cat small.jpg")
