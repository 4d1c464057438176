"""Disks that come and go: what was named is remembered, and what is away as a whole is not forgotten."""

import os
import zlib
from collections import namedtuple

import pytest

from conftest import textured
from lookalike import Gallery
from lookalike.errors import InputError
from lookalike.gallery import places as places_module
from lookalike.media import volumes
from lookalike.records.codec import to_document
from lookalike.records.places import Away, Gone, Root
from lookalike.storage.store import Store


@pytest.fixture
def gallery(tmp_path, settings):
    with Gallery.open(tmp_path / "gallery", create=True, settings=settings) as opened:
        yield opened


def _pictures(folder, n=3):
    folder.mkdir(parents=True)
    for number in range(n):
        textured(zlib.crc32(folder.name.encode()) % 1000 + number).save(folder / f"{number}.png")
    return folder


def _add(gallery, *folders, **options):
    return gallery.add(folders, only="hashes", **options)


def test_folders_are_remembered_as_they_were_named_last(gallery, tmp_path):
    home, disk = _pictures(tmp_path / "home"), _pictures(tmp_path / "disk")
    gallery.add([home, disk / "0.png"], only="hashes", exclude=["x*"], hidden=True)
    gallery.add(home, only="hashes", exclude=["1*"])
    assert gallery.info().roots == (Root(str(home), "hashes", exclude=("1*",)),)
    gallery.remove([tmp_path / "home"])
    assert gallery.info().roots == ()


def test_adding_again_walks_what_was_named_as_it_was_named(gallery, tmp_path):
    with pytest.raises(InputError, match="no folder was ever named"):
        gallery.add_again()
    home, disk = _pictures(tmp_path / "home"), _pictures(tmp_path / "disk")
    _add(gallery, home, exclude=["new*"])
    _add(gallery, disk)
    textured(900).save(tmp_path / "beside.png")
    for folder in (home, disk):
        textured(901 + len(folder.name)).save(folder / "new.png")
    report = gallery.add_again()
    assert (report.seen, report.added, report.unchanged) == (7, 1, 6)
    assert gallery.holds(disk / "new.png")
    assert not gallery.holds(home / "new.png")


def test_a_folder_that_is_away_as_a_whole_is_not_forgotten_without_a_word(gallery, tmp_path):
    home, disk = _pictures(tmp_path / "home"), _pictures(tmp_path / "disk")
    _add(gallery, home, disk)
    disk.rename(tmp_path / "drawer")
    (home / "0.png").unlink()
    gone_files = tuple(str(disk / f"{number}.png") for number in range(3))
    assert gallery.find_gone() == Gone((str(home / "0.png"),), (Away(str(disk), gone_files),))
    assert gallery.info().away == (str(disk),)
    assert gallery.prune() == [str(home / "0.png")]
    assert gallery.info().n_files == 5
    found = gallery.search(tmp_path / "drawer" / "1.png", by="phash", k=1)
    assert found[0].picture.path == str(disk / "1.png"), "what is kept of it can still be asked"
    assert gallery.prune(with_away=True) == list(gone_files)
    assert gallery.info().n_files == 2


def test_an_empty_mount_point_is_away_too(gallery, tmp_path):
    disk = _pictures(tmp_path / "disk")
    _add(gallery, disk)
    for path in disk.iterdir():
        path.unlink()
    assert gallery.info().away == (str(disk),)
    assert gallery.prune() == []


def test_a_disk_inside_a_named_folder_is_away_by_itself(gallery, tmp_path, monkeypatch):
    home = _pictures(tmp_path / "home")
    disk = _pictures(home / "mnt" / "disk")

    def stat(path, real=os.stat):
        status = real(path)
        is_on_disk = str(path).startswith(str(disk))
        return namedtuple("Status", "st_dev")(7 if is_on_disk else status.st_dev)

    monkeypatch.setattr(volumes.os, "stat", stat)
    assert volumes.mount_point(str(disk / "0.png")) == str(disk)
    monkeypatch.undo()
    gallery._store.places.put((), [str(disk)])
    _add(gallery, home)
    for path in disk.iterdir():
        path.unlink()
    (home / "2.png").unlink()
    gone = gallery.find_gone()
    assert (gone.files, [one.place for one in gone.away]) == ((str(home / "2.png"),), [str(disk)])
    assert str(disk) in gallery.info().away


def test_the_volumes_of_files_are_remembered(gallery, tmp_path, monkeypatch):
    home = _pictures(tmp_path / "home")
    monkeypatch.setattr(places_module, "mount_point", lambda folder: str(tmp_path))
    _add(gallery, home)
    assert gallery._store.places.volumes() == [str(tmp_path)]


def test_a_gallery_that_knows_no_roots_is_judged_by_where_paths_branch(gallery, tmp_path):
    home, disk = _pictures(tmp_path / "pictures" / "home"), _pictures(tmp_path / "media" / "disk")
    _add(gallery, home, disk)
    gallery._store.places.forget([str(home), str(disk)])
    disk.rename(tmp_path / "drawer")
    (home / "0.png").unlink()
    gone = gallery.find_gone()
    assert gone.files == (str(home / "0.png"),)
    assert [one.place for one in gone.away] == [str(tmp_path / "media")]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX errors")
def test_what_cannot_be_looked_at_is_not_gone(monkeypatch, tmp_path):
    assert volumes.is_gone(str(tmp_path / "nothing"))

    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(volumes.os, "lstat", forbidden)
    assert not volumes.is_gone(str(tmp_path / "nothing"))


def test_indexing_a_folder_says_how_many_known_files_are_gone(gallery, tmp_path):
    home = _pictures(tmp_path / "home", 4)
    _add(gallery, home)
    (home / "0.png").unlink()
    (home / "1.png").rename(tmp_path / "elsewhere.png")
    assert _add(gallery, home, exclude=["3*"]).gone == 2
    assert _add(gallery, home / "2.png").gone == 0
    assert _add(gallery, tmp_path).gone == 1, "the one that moved was found again"


def test_a_known_volume_is_written_once(tmp_path):
    store = Store(tmp_path, create=True)
    store.places.put([Root("/a")], ["/"])
    n_changes = store.database.connection().total_changes
    store.places.put([Root("/a")], ["/"])
    assert store.database.connection().total_changes == n_changes
    store.close()


def test_ratings_can_be_read(gallery, tmp_path):
    home = _pictures(tmp_path / "home")
    _add(gallery, home)
    match = gallery.search(home / "0.png", by="phash", k=1)[0]
    gallery.rate(home / "0.png", match.picture.content_id, True)
    (rating,) = gallery.ratings()
    assert (rating.picture_digest, rating.is_liked) == (match.picture.digest, True)
    gallery.rate(home / "0.png", match.picture.content_id, None)
    assert gallery.ratings() == []


def test_info_lists_roots_as_json(gallery, tmp_path):
    home = _pictures(tmp_path / "home")
    _add(gallery, home)
    document = to_document(gallery.info())
    assert document["roots"][0]["path"] == str(home)
    assert document["away"] == []
