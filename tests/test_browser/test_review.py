"""Duplicates are looked for, reviewed by keys and rules, put away and brought back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from browser_pictures import COPIED
from browser_server import ServedGallery, environment_of
from conftest import textured
from served import wait_for_job
from test_browser.steps import contents_of, expect


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
