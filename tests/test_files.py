"""The walk, the lists of paths and the reading of files."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import LimitError, ReadError
from lookalike.media import files
from lookalike.media.files import read_file, read_paths_from
from lookalike.media.globs import compile_globs
from lookalike.media.walk import FoundFile, iter_files
from pictures import encode, photo

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file names and kinds")
needs_permissions = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything"
)


def make(folder: Path, *names: str, content: bytes = b"content") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def found(folder: Path, **options: object) -> list[str]:
    return [os.path.relpath(file.path, folder) for file in iter_files([folder], **options)]  # type: ignore[arg-type]


def test_walk_takes_known_suffixes_in_any_case_and_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b/2.png", "b/1.JPG", "a/x.HeIc", "z.tif", "c.nef", "notes.txt", "a/movie.mp4", "d.svg")
    assert found(tmp_path) == ["c.nef", "d.svg", "z.tif", "a/x.HeIc", "b/1.JPG", "b/2.png"]


def test_walk_gives_size_time_and_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "in/a.jpg", content=b"12345")
    os.utime(tmp_path / "in/a.jpg", ns=(1, 1_500_000_000_123_456_700))
    monkeypatch.chdir(tmp_path)
    expected = FoundFile(
        str(tmp_path / "in" / "a.jpg"), 5, 1_500_000_000_123_456_700, os.stat(tmp_path).st_dev
    )
    assert list(iter_files(["in"])) == list(iter_files(["in/a.jpg"])) == [expected]


def test_files_without_suffix_are_taken_when_they_start_like_a_picture(tmp_path: Path) -> None:
    make(tmp_path, "IMG_0001", content=encode(photo()))
    make(tmp_path, "README", "Makefile")
    make(tmp_path, "empty", content=b"")
    assert found(tmp_path) == ["IMG_0001"]


def test_hidden_files_and_folders_are_skipped_unless_asked_for(tmp_path: Path) -> None:
    make(tmp_path, ".hidden.jpg", ".cache/a.jpg", "seen.jpg")
    assert found(tmp_path) == ["seen.jpg"]
    assert found(tmp_path, hidden=True) == [".hidden.jpg", "seen.jpg", ".cache/a.jpg"]


def test_a_file_named_itself_is_always_taken(tmp_path: Path) -> None:
    make(tmp_path, ".hidden", "strange.xyz")
    named = [tmp_path / ".hidden", tmp_path / "strange.xyz"]
    assert [file.path for file in iter_files(named, exclude=["*"], include=["*.jpg"])] == list(
        map(str, named)
    )


@needs_posix
def test_names_with_any_bytes_survive(tmp_path: Path) -> None:
    names = [b"with space.jpg", b"line\nbreak.jpg", "照片.jpg".encode(), b"\xff\xfe broken.jpg", b"-rf.jpg"]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(name)
    walked = list(iter_files([os.fsencode(tmp_path)]))
    assert sorted(os.path.basename(os.fsencode(file.path)) for file in walked) == sorted(names)
    for file in walked:
        data = read_file(file.path, max_bytes=100).data
        assert data == os.path.basename(os.fsencode(file.path))


@pytest.mark.parametrize(
    ("glob", "matching"),
    [
        ("*.jpg", {"a.jpg", "x/b.JPG", "x/y/c.jpg"}),
        ("x/*.jpg", {"x/b.JPG"}),
        ("x/**", {"x/b.JPG", "x/y/c.jpg", "x/y/d.png"}),
        ("**/y/*", {"x/y/c.jpg", "x/y/d.png"}),
        ("**/*.png", {"x/y/d.png"}),
        ("x/**/*.jpg", {"x/b.JPG", "x/y/c.jpg"}),
        ("[ab].jpg", {"a.jpg", "x/b.JPG"}),
        ("[!ab].*", {"x/y/c.jpg", "x/y/d.png"}),
        ("[z-a].jpg", set()),
        ("[a-c].jpg", {"a.jpg", "x/b.JPG", "x/y/c.jpg"}),
        ("?.png", {"x/y/d.png"}),
        ("", set()),
        ("[", set()),
        ("nothing(|.jpg", set()),
    ],
)
def test_globs_match_the_relative_path_or_the_name(tmp_path: Path, glob: str, matching: set[str]) -> None:
    everything = {"a.jpg", "x/b.JPG", "x/y/c.jpg", "x/y/d.png"}
    make(tmp_path, *everything)
    assert set(found(tmp_path, include=[glob])) == matching
    assert set(found(tmp_path, exclude=[glob])) == everything - matching


def test_an_excluded_folder_is_not_entered(tmp_path: Path) -> None:
    make(tmp_path, "keep/a.jpg", "thumbs/b.jpg", "keep/thumbs/c.jpg")
    assert found(tmp_path, exclude=["thumbs"]) == ["keep/a.jpg"]


@given(st.text(st.sampled_from("[]!^-&|~\\ab/*?#"), max_size=8) | st.text(max_size=8))
def test_every_text_is_a_usable_glob_without_a_warning(glob: str) -> None:
    compile_globs([glob])


@given(st.text(st.characters(exclude_characters="*?["), min_size=1, max_size=12))
def test_a_glob_without_wildcards_matches_itself(name: str) -> None:
    pattern = compile_globs([name])
    assert pattern is not None
    assert pattern.fullmatch(name)


def test_galleries_and_what_was_put_away_are_left_out_unless_named(tmp_path: Path) -> None:
    aside = f"aside/2025-01-01-000000-ab{files.QUARANTINE_SUFFIX}"
    make(
        tmp_path, "a.jpg", "aside/b.jpg", f"{aside}/home/c.jpg", "g/uploads/d.jpg", f"g/{files.GALLERY_FILE}"
    )
    assert found(tmp_path) == found(tmp_path, hidden=True) == ["a.jpg", "aside/b.jpg"]
    assert found(tmp_path / aside) == ["home/c.jpg"]
    assert found(tmp_path / "g") == ["uploads/d.jpg"]


@needs_posix
def test_symlinks_are_followed_only_when_asked_for_and_never_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "inside/a.jpg")
    make(tmp_path.parent / "outside", "b.jpg")
    (tmp_path / "inside" / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to(tmp_path.parent / "outside")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "inside" / "a.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "missing")
    problems: list[tuple[str, str]] = []
    assert found(tmp_path) == ["inside/a.jpg"]
    followed = found(tmp_path, follow_symlinks=True, on_problem=lambda *problem: problems.append(problem))
    assert followed == ["link.jpg", "inside/a.jpg", "out/b.jpg"]
    assert problems == [(str(tmp_path / "broken.jpg"), "this link leads nowhere")]
    assert [file.path for file in iter_files([tmp_path / "link.jpg"])] == [str(tmp_path / "link.jpg")]


@needs_posix
def test_pipes_and_missing_paths_are_reported_and_the_walk_goes_on(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    problems: dict[str, str] = {}
    paths = [tmp_path / "missing", tmp_path / "pipe.jpg", "nul\0byte", tmp_path]
    walked = list(iter_files(paths, on_problem=problems.__setitem__))
    assert [file.path for file in walked] == [str(tmp_path / "a.jpg")]
    assert problems[str(tmp_path / "missing")] == "there is no such file or folder"
    assert problems[str(tmp_path / "pipe.jpg")] == "this is neither a file nor a folder"
    assert len(problems) == 3


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "locked/a.jpg", "open/b.jpg")
    really_scan = os.scandir

    def scan(folder: str) -> object:
        if folder.endswith("locked"):
            raise PermissionError(13, "Permission denied", folder)
        return really_scan(folder)

    monkeypatch.setattr(os, "scandir", scan)
    problems: dict[str, str] = {}
    assert found(tmp_path, on_problem=problems.__setitem__) == ["open/b.jpg"]
    assert problems[str(tmp_path / "locked")].startswith("permission is denied")


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "b/2.jpg")
    walk = iter_files([tmp_path])
    assert next(walk).path.endswith("1.jpg")
    make(tmp_path, "b/3.jpg")
    assert [os.path.basename(file.path) for file in walk] == ["2.jpg", "3.jpg"]


def test_paths_are_read_from_lines_or_nul_separated() -> None:
    assert read_paths_from(io.BytesIO(b"a b.jpg\nc.jpg\r\n\n"), nul=False) == ["a b.jpg", "c.jpg"]
    assert read_paths_from(io.BytesIO(b"a\nb.jpg\0c.jpg\0"), nul=True) == ["a\nb.jpg", "c.jpg"]
    assert read_paths_from(io.BytesIO(b""), nul=True) == []


@needs_posix
@given(st.lists(st.binary(min_size=1).filter(lambda name: b"\0" not in name)))
def test_any_names_come_back_from_a_nul_separated_list(names: list[bytes]) -> None:
    listed = read_paths_from(io.BytesIO(b"".join(name + b"\0" for name in names)), nul=True)
    assert [os.fsencode(path) for path in listed] == names


@pytest.mark.parametrize("content", [b"", b"x", bytes(300_000)])
def test_reading_gives_content_and_sha256(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    file = read_file(path, max_bytes=300_000)
    assert file.data == content
    assert file.digest == hashlib.sha256(content).digest()
    assert (file.size_bytes, file.mtime_ns) == (len(content), path.stat().st_mtime_ns)


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", content=bytes(1001))
    with pytest.raises(LimitError, match="1,001 bytes, more than the limit of 1,000"):
        read_file(tmp_path / "a.jpg", max_bytes=1000)


def test_missing_files_and_folders_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        read_file(tmp_path / "missing.jpg", max_bytes=10)
    with pytest.raises(ReadError, match="cannot be used"):
        read_file("nul\0byte", max_bytes=10)
    with pytest.raises(ReadError, match="folder" if os.name == "posix" else "permission"):
        read_file(tmp_path, max_bytes=10)


@needs_posix
def test_pipes_and_devices_do_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError, match="not a regular file"):
        read_file(tmp_path / "pipe", max_bytes=10)
    with pytest.raises(ReadError, match="not a regular file"):
        read_file("/dev/zero", max_bytes=10)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or sys.platform == "win32", reason="needs Unix sockets")
def test_a_socket_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # socket paths must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(ReadError):
            read_file("s", max_bytes=10)


@needs_permissions
def test_a_forbidden_file_gives_a_sentence(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    (tmp_path / "a.jpg").chmod(0)
    with pytest.raises(ReadError, match="permission is denied"):
        read_file(tmp_path / "a.jpg", max_bytes=10)


@pytest.mark.parametrize("change", ["grow", "shrink", "touch"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(100))
    os.utime(path, ns=(1, 1))
    really_read = files._read_to_end

    def read_and_change(descriptor: int, size_bytes: int) -> bytes:
        if change == "touch":
            data = really_read(descriptor, size_bytes)
            path.write_bytes(bytes(100))
            return data
        path.write_bytes(bytes(150 if change == "grow" else 50))
        return really_read(descriptor, size_bytes)

    monkeypatch.setattr(files, "_read_to_end", read_and_change)
    with pytest.raises(ReadError, match="changed while it was read"):
        read_file(path, max_bytes=1000)
