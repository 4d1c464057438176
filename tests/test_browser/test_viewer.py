"""A match is opened beside the query, laid over it, and proven."""

import re

import pytest

from test_browser.steps import cards, choose_query, expect


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
