"""A place is opened as the gallery that is there; both kinds have every verb, with the same arguments."""

import inspect

import pytest

from conftest import textured
from lookalike import Gallery
from lookalike.errors import GalleryNotFoundError, InputError, StoreError
from lookalike.gallery.local import LocalGallery
from lookalike.gallery.served import ServedGallery
from lookalike.opening import open_folder
from pictures import encode

VERBS = sorted(Gallery.__abstractmethods__)


def test_a_folder_is_opened_as_a_local_gallery(tmp_path, settings):
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as gallery:
        assert isinstance(gallery, LocalGallery)
        assert gallery.folder == tmp_path / "g"
    with Gallery.open((tmp_path / "g").as_uri(), settings=settings) as gallery:
        assert isinstance(gallery, LocalGallery)


def test_an_address_is_asked_for_a_served_gallery(settings):
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:9 cannot be reached"):
        Gallery.open("http://127.0.0.1:9", settings=settings)


def test_what_is_no_place_of_a_gallery_is_refused(tmp_path, settings):
    with pytest.raises(InputError, match="no address of a gallery"):
        Gallery.open("ftp://somewhere", settings=settings)
    with pytest.raises(GalleryNotFoundError):
        Gallery.open(tmp_path / "none", settings=settings)
    with pytest.raises(InputError, match="served by another process"):
        open_folder("http://127.0.0.1:9", settings=settings)


@pytest.mark.parametrize("verb", VERBS)
def test_both_kinds_take_the_arguments_that_the_verb_names(verb):
    expected = inspect.signature(getattr(Gallery, verb)).parameters
    assert inspect.signature(getattr(LocalGallery, verb)).parameters == expected
    assert inspect.signature(getattr(ServedGallery, verb)).parameters == expected


@pytest.mark.parametrize("verb", VERBS)
def test_help_explains_the_verbs_of_both_kinds(verb):
    explained = inspect.getdoc(getattr(Gallery, verb))
    assert inspect.getdoc(getattr(LocalGallery, verb)) == explained
    assert inspect.getdoc(getattr(ServedGallery, verb)) == explained


def test_a_query_of_other_bytes_is_another_query_though_it_is_kept(tmp_path, settings):
    with LocalGallery(tmp_path / "g", create=True, settings=settings) as gallery:
        first, second = (encode(textured(seed, 64, 48)) for seed in (1, 2))
        loaded = gallery.load(first, keep=True)
        assert gallery.load(first, keep=True) is loaded
        other = gallery.load(second, keep=True)
        assert other is not loaded
        assert (other.row("phash") != loaded.row("phash")).any()


def test_a_kept_query_is_read_again_when_its_file_was_changed(tmp_path, settings):
    place = tmp_path / "query.png"
    with LocalGallery(tmp_path / "g", create=True, settings=settings) as gallery:
        textured(1, 64, 48).save(place)
        loaded = gallery.load(place, keep=True)
        assert gallery.load(place, keep=True) is loaded
        textured(2, 96, 48).save(place)
        assert gallery.load(place, keep=True).size_px == (96, 48)
