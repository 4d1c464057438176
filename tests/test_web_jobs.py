"""Jobs over HTTP: pictures are added, duplicates reviewed, plans applied and undone, and all of it can be stopped."""

import json
import os

import httpx
import pytest

from conftest import needs_users, ordinary_user, textured
from lookalike import Gallery
from lookalike.acting import apply
from lookalike.answers.jobs import RunsAnswer
from lookalike.records.codec import to_document
from served import Gate, problem_of, served, wait_for_job


@pytest.fixture
def doubles(tmp_path, settings):
    """Serve a gallery of its own with some duplicates; give (client, folder)."""
    folder = tmp_path / "doubles"
    folder.mkdir()
    for seed in (7, 8):
        original = textured(seed, 400, 300)
        original.save(folder / f"{seed}.png")
        original.resize((200, 150)).save(folder / f"{seed}-small.jpg")
        (folder / f"{seed}-same.png").write_bytes((folder / f"{seed}.png").read_bytes())
    textured(9, 400, 300).save(folder / "other.png")
    Gallery.open(tmp_path / "g", create=True, settings=settings).close()
    with served(tmp_path / "g", settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client, folder


def index(client, folder):
    job = client.post("/api/v1/jobs", json={"kind": "index", "paths": [str(folder)]}).json()
    return wait_for_job(client, job)


def review(client):
    job = wait_for_job(client, client.post("/api/v1/jobs", json={"kind": "duplicates"}).json())
    assert job["state"] == "done", job
    return client.get("/api/v1/duplicates").json()


def choose(report, act="quarantine", **others):
    groups = [
        {
            "number": group["number"],
            "keeper": group["keeper"]["id"],
            "remove": [{"id": one["id"], "path": one["path"]} for one in group["members"]],
        }
        for group in report["groups"]
    ]
    return {"report_id": report["report_id"], "act": act, "groups": groups, **others}


def test_index_review_plan_apply_and_undo(doubles, tmp_path):
    client, folder = doubles
    job = index(client, folder)
    assert (job["state"], job["report"]["added"]) == ("done", 7)
    nothing_yet = client.get("/api/v1/duplicates").json()
    assert (nothing_yet["report_id"], nothing_yet["groups"], nothing_yet["total_groups"]) == (None, [], 0)
    report = review(client)
    assert report["total_groups"] == 2
    assert report["groups"][0]["saved_bytes"] >= report["groups"][1]["saved_bytes"]
    assert {member["relation"] for member in report["groups"][0]["members"]} == {"same_file", "copy"}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    plan = client.post("/api/v1/plans", json=choose(report, quarantine=str(tmp_path / "aside")))
    assert plan.status_code == 201
    plan = plan.json()
    assert (plan["n_files"], plan["left_out"]) == (4, [])
    assert client.get(f"/api/v1/plans/{plan['id']}").json() == plan
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, "a plan changes nothing"

    done = client.post(f"/api/v1/plans/{plan['id']}/apply").json()
    assert (len(done["done"]), done["skipped"]) == (4, [])
    assert len(list(folder.iterdir())) == 3
    assert client.get("/api/v1/duplicates").json()["groups"] == []
    back = client.post("/api/v1/undo").json()
    assert len(back["restored"]) == 4
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    again = client.get("/api/v1/duplicates").json()
    assert len(again["groups"]) == 2
    for group in again["groups"]:
        for member in group["members"]:
            assert client.get(f"/api/v1/pictures/{member['id']}/thumbnail").status_code == 200


def decide(client, report, *groups):
    body = {"report_id": report["report_id"], "groups": list(groups)}
    return client.post("/api/v1/decisions", json=body)


def test_decisions_are_the_servers_and_a_plan_is_made_of_them(doubles, tmp_path):
    client, folder = doubles
    index(client, folder)
    assert problem_of(decide(client, {"report_id": "x"}, {"number": 1, "state": "accepted"}), 404)
    report = review(client)
    assert (report["decided"]["n_open"], report["n_added_since"]) == (2, 0)
    assert decide(client, report, {"number": 1, "state": "accepted"}).json()["n_open"] == 1
    with httpx.Client(base_url=client.base_url) as other_tab:
        said = decide(other_tab, report, {"number": 2, "state": "accepted"}).json()
    assert (said["n_accepted"], said["n_open"]) == (2, 0), "what one tab says leaves what another said"
    assert said["accepted_bytes"] == report["total_saved_bytes"]
    asked = {"report_id": report["report_id"], "since": 1}
    assert [one["number"] for one in client.get("/api/v1/decisions", params=asked).json()["groups"]] == [2]

    wish = {"report_id": report["report_id"], "act": "quarantine", "quarantine": str(tmp_path / "aside")}
    plan = client.post("/api/v1/plans", json=wish).json()
    assert (plan["n_files"], plan["left_out"]) == (4, [])
    assert {removal["id"] for removal in plan["removals"]} <= set(range(1, 8))
    job = client.post("/api/v1/jobs", json={"kind": "apply", "plan": plan["id"]}).json()
    assert wait_for_job(client, job)["state"] == "done"
    page = client.get("/api/v1/duplicates").json()
    assert (page["groups"], page["total_groups"]) == ([], 2)
    assert (page["decided"]["n_done"], page["decided"]["left_bytes"]) == (2, 0)
    assert decide(client, report, {"number": 1, "state": None}).json()["n_done"] == 2, "what is done is done"

    textured(99, 400, 300).save(folder / "new.png")
    index(client, folder)
    back = wait_for_job(client, client.post("/api/v1/jobs", json={"kind": "undo"}).json())
    assert len(back["report"]["restored"]) == 4
    page = client.get("/api/v1/duplicates").json()
    assert [group["decision"]["state"] for group in page["groups"]] == [None, None], (
        "no plan repeats it unasked"
    )
    assert page["decided"]["n_open"] == 2
    assert page["n_added_since"] == 1, "what came back is not new"


def test_a_decision_names_files_and_groups_of_the_report(doubles):
    client, folder = doubles
    index(client, folder)
    report = review(client)
    member = report["groups"][0]["members"][0]["path"]
    assert decide(client, report, {"number": 1, "state": "accepted", "keeper": member}).status_code == 200
    (decision,) = client.get("/api/v1/decisions", params={"report_id": report["report_id"]}).json()["groups"]
    assert (decision["keeper"], decision["state"]) == (member, "accepted")
    for wrong in (
        {"number": 3, "state": "accepted"},
        {"number": 1, "state": "accepted", "keeper": "/etc/passwd"},
        {"number": 1, "state": None, "apart": ["/etc/passwd"]},
        {"number": 1, "state": "done"},
    ):
        assert problem_of(decide(client, report, wrong), 422)
    review(client)
    assert problem_of(decide(client, report, {"number": 1, "state": "accepted"}), 409)


def test_a_plan_removes_only_what_is_proven_against_the_chosen_keeper(doubles, tmp_path):
    client, folder = doubles
    index(client, folder)
    report = review(client)
    by_name = {
        os.path.basename(row["path"]): row for row in client.get("/api/v1/pictures").json()["pictures"]
    }

    def plan_for(keeper, *remove):
        chosen = [{"path": by_name[name]["path"] if name in by_name else name} for name in remove]
        body = {
            "report_id": report["report_id"],
            "act": "trash",
            "groups": [{"keeper": by_name[keeper]["id"], "remove": chosen}],
        }
        return client.post("/api/v1/plans", json=body).json()

    assert plan_for("7.png", "7-small.jpg")["n_files"] == 1
    smaller = plan_for("7-small.jpg", "7.png", "7-same.png")
    assert smaller["n_files"] == 0
    assert "50%" in smaller["left_out"][0]["reason"]
    stranger = plan_for("7.png", "other.png", "8-small.jpg", "/etc/passwd")
    assert stranger["n_files"] == 0
    assert len(stranger["left_out"]) == 3
    last = plan_for("7.png", "7.png", "7-same.png")
    assert last["n_files"] == 0, "the last copies of the keeper never go"
    one = plan_for("7.png", "7.png")
    assert [(row["path"], row["keeper"]) for row in one["removals"]] == [
        (str(folder / "7.png"), str(folder / "7-same.png"))
    ]


def test_old_reports_wrong_acts_and_double_names_are_refused(doubles):
    client, folder = doubles
    index(client, folder)
    report = review(client)
    assert problem_of(client.post("/api/v1/plans", json={**choose(report, "trash"), "report_id": "x"}), 409)
    assert problem_of(client.post("/api/v1/plans", json=choose(report, "delete")), 422)
    assert problem_of(client.post("/api/v1/plans", json=choose(report, "quarantine")), 422)
    twice = choose(report, "trash")
    twice["groups"] += twice["groups"]
    assert "twice" in problem_of(client.post("/api/v1/plans", json=twice), 422)


def test_verdicts_and_feedback_are_remembered_apart(doubles, tmp_path, settings):
    client, folder = doubles
    index(client, folder)
    rows = client.get("/api/v1/pictures").json()["pictures"]
    by_name = {os.path.basename(row["path"]): row["id"] for row in rows}
    pair = {"first": by_name["7.png"], "second": by_name["7-small.jpg"]}
    assert client.post("/api/v1/verdicts", json={**pair, "is_duplicate": False}).status_code == 204
    members = [one["path"] for group in review(client)["groups"] for one in group["members"]]
    assert str(folder / "7-small.jpg") not in members
    assert client.post("/api/v1/verdicts", json={**pair, "is_duplicate": None}).status_code == 204
    liked = {"query": f"id:{by_name['7.png']}", "picture": by_name["other.png"], "liked": True}
    assert client.post("/api/v1/feedback", json=liked).status_code == 204
    with Gallery.open(tmp_path / "g", settings=settings) as gallery:
        assert list(gallery._store.people.ratings().values()) == [True]
        assert gallery._store.people.verdicts() == {}
    members = [one["path"] for group in review(client)["groups"] for one in group["members"]]
    assert str(folder / "other.png") not in members, "a liked picture is no duplicate"
    assert problem_of(client.post("/api/v1/feedback", json={**liked, "picture": 10**9}), 404)


@needs_users
def test_a_verdict_on_a_gallery_that_cannot_be_written_is_no_fault_of_the_server(shared_place, settings):
    pictures = shared_place / "pictures"
    pictures.mkdir()
    for seed in range(2):
        textured(seed, 160, 120).save(pictures / f"{seed}.png")
    with Gallery.open(shared_place / "g", create=True, settings=settings) as gallery:
        gallery.add(pictures)
        first, second = (one.content_id for one in gallery.pictures()[0])
    for path in (shared_place / "g", *(shared_place / "g").iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    verdict = {"first": first, "second": second, "is_duplicate": True}
    with served(shared_place / "g", settings) as address, ordinary_user():
        answer = httpx.post(f"{address}/api/v1/verdicts", json=verdict, timeout=60)
    assert "read-only" in problem_of(answer, 507)


def test_a_forgotten_picture_is_found_no_more_and_its_file_stays(doubles):
    client, folder = doubles
    index(client, folder)
    rows = client.get("/api/v1/pictures").json()["pictures"]
    (other,) = (row["id"] for row in rows if row["path"].endswith("other.png"))
    assert client.delete(f"/api/v1/pictures/{other}").status_code == 204
    assert problem_of(client.get(f"/api/v1/pictures/{other}"), 404)
    found = client.get("/api/v1/search", params={"query": f"id:{rows[0]['id']}", "k": 100}).json()["matches"]
    assert other not in [match["id"] for match in found]
    assert (folder / "other.png").exists()
    assert client.post("/api/v1/forget", json={"paths": [str(folder)]}).json() == {"removed": 6}


def test_a_job_tells_its_progress_can_be_stopped_and_goes_on(tmp_path, settings):
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(80):
        textured(seed, 640, 480).save(folder / f"{seed}.png", compress_level=1)
    slow = settings.with_values({"jobs": "1"})
    Gallery.open(tmp_path / "g", create=True, settings=slow).close()
    with served(tmp_path / "g", slow) as address, httpx.Client(base_url=address, timeout=60) as client:
        job = client.post("/api/v1/jobs", json={"kind": "index", "paths": [str(folder)]}).json()
        assert problem_of(client.post("/api/v1/jobs", json={"kind": "duplicates"}), 409)
        events = []
        with client.stream("GET", f"/api/v1/jobs/{job['id']}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    events.append(json.loads(line[5:]))
                    if events[-1]["stage"] == "add" and events[-1]["n_done"] >= 5:
                        assert client.post(f"/api/v1/jobs/{job['id']}/stop").status_code == 202
        assert events[-1]["state"] == "stopped"
        n_kept = client.get("/api/v1/info").json()["n_files"]
        assert 5 <= n_kept < 80
        job = index(client, folder)
        assert job["state"] == "done"
        assert (job["report"]["unchanged"], job["report"]["added"]) == (n_kept, 80 - n_kept)
        assert [one["state"] for one in client.get("/api/v1/jobs").json()["jobs"]] == ["done", "stopped"]


def runs_document(gallery, **options):
    runs, total = gallery.runs(**options)
    return to_document(RunsAnswer(tuple(runs), total))


def make_plan(client, quarantine):
    return client.post("/api/v1/plans", json=choose(review(client), quarantine=str(quarantine))).json()


def test_applying_is_a_job_that_can_be_stopped_and_holds_up_nothing(doubles, tmp_path, monkeypatch):
    client, folder = doubles
    index(client, folder)
    plan = make_plan(client, tmp_path / "aside")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    gate = Gate(apply.perform)
    monkeypatch.setattr(apply, "perform", gate)
    job = client.post("/api/v1/jobs", json={"kind": "apply", "plan": plan["id"]}).json()
    assert gate.reached.wait(60)
    assert client.get(f"/api/v1/jobs/{job['id']}").json()["n_total"] == 4
    liked = {"query": "id:1", "picture": 2, "liked": True}
    assert client.post("/api/v1/feedback", json=liked).status_code == 204
    verdict = {"first": 1, "second": 2, "is_duplicate": None}
    assert client.post("/api/v1/verdicts", json=verdict).status_code == 204
    assert client.get(f"/api/v1/plans/{plan['id']}").status_code == 200
    assert client.get("/api/v1/runs").json()["runs"][0]["n_undoable"] == 1, "the act that was begun"
    assert index(client, folder)["state"] == "done"
    assert "put away" in problem_of(client.post("/api/v1/undo"), 409)

    client.post(f"/api/v1/jobs/{job['id']}/stop")
    gate.may_go_on.set()
    stopped = wait_for_job(client, job)
    assert (stopped["state"], len(stopped["report"]["done"])) == ("stopped", 1)
    assert len(list(folder.iterdir())) == len(before) - 1
    assert len(client.post("/api/v1/undo").json()["restored"]) == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_every_run_is_in_the_history_and_can_be_undone_by_its_number(doubles, tmp_path, settings):
    client, folder = doubles
    index(client, folder)
    assert client.get("/api/v1/runs").json() == {"runs": [], "total": 0, "offset": 0}
    wish = choose(review(client), quarantine=str(tmp_path / "aside"))
    for group in wish["groups"]:
        plan = client.post("/api/v1/plans", json={**wish, "groups": [group]}).json()
        job = client.post("/api/v1/jobs", json={"kind": "apply", "plan": plan["id"]}).json()
        assert wait_for_job(client, job)["state"] == "done"
    found = client.get("/api/v1/runs").json()
    assert [(run["run"], run["acts"], run["n_undoable"]) for run in found["runs"]] == [
        (2, {"quarantine": 2}, 2),
        (1, {"quarantine": 2}, 2),
    ]
    assert found["runs"][0]["quarantine"].startswith(str(tmp_path / "aside"))
    assert found["runs"][0]["started_at"].startswith("20")
    with Gallery.open(tmp_path / "g", settings=settings) as gallery:
        python = runs_document(gallery)
    assert python == found
    with Gallery.open(str(client.base_url), settings=settings) as remote:
        assert runs_document(remote) == found
        assert runs_document(remote, offset=1, limit=1)["runs"] == found["runs"][1:]

    job = client.post("/api/v1/jobs", json={"kind": "undo", "run": 1}).json()
    ended = wait_for_job(client, job)
    assert (ended["state"], ended["report"]["run"], len(ended["report"]["restored"])) == ("done", 1, 2)
    found = client.get("/api/v1/runs", params={"limit": 1, "offset": 1}).json()
    assert [(run["run"], run["n_undoable"], run["n_undone"]) for run in found["runs"]] == [(1, 0, 2)]
    assert len(client.post("/api/v1/undo", params={"run": 2}).json()["restored"]) == 2
    assert len(list(folder.iterdir())) == 7
    assert problem_of(client.post("/api/v1/undo", params={"run": 9}), 422)
    assert problem_of(client.post("/api/v1/jobs", json={"kind": "apply", "plan": "0" * 16}), 404)


def test_a_failing_job_says_why(doubles):
    client, _ = doubles
    job = client.post("/api/v1/jobs", json={"kind": "duplicates", "protect": ["/no/such/folder"]}).json()
    ended = wait_for_job(client, job)
    assert ended["state"] == "failed"
    assert "/no/such/folder" in ended["error"]
