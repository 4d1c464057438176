"""The library, and what holds on every page: languages, sizes, keys, being read out, servers slow or gone."""

import re

import pytest

from browser_server import ServedGallery, environment_of
from conftest import textured
from test_browser.steps import cards, choose_query, expect

TOKEN = "a token that is long enough for a test"


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
