"""The layouts in which the field's published data sets lie on disk. Nothing is downloaded.

Each is read as its authors hand it out; a folder more or less above the pictures does not matter, except
where the text says so. Distractors may be added to any of them by putting pictures into the folder whose
names the layout does not know.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence, Sized
from pathlib import Path, PurePosixPath

from lookalike.errors import InputError
from lookalike.evaluation.datasets.data_set import Box, DataSet, grouped, list_pictures
from lookalike.evaluation.datasets.tables import check_named, read_text

_UKBENCH = re.compile(r"ukbench(\d{5})", re.IGNORECASE)
_HOLIDAYS = re.compile(r"1\d{5}")
_COPYDAYS = re.compile(r"2\d{5}")
_COPYDAYS_FOLDER = re.compile(r"(?:copydays_)?(crop|jpeg|strong|original)s?", re.IGNORECASE)
STANFORD_LIST = "Ebay_test.txt"


def load_folders(root: Path) -> DataSet:
    """Read a folder per class: pictures of one folder belong together, those of different folders do not.

    A picture's class is the folder that holds it, however deep. Pictures that lie in `root` itself are
    distractors: searched in, never asked about.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for name in list_pictures(root):
        classes[str(PurePosixPath(name).parent)].append(name)
    distractors = classes.pop(".", [])
    if not any(len(members) > 1 for members in classes.values()):
        raise InputError(
            f"{root} holds no folder of two pictures or more, so there is nothing to find; give a ground truth "
            "beside the pictures, or evaluate with edited copies."
        )
    return grouped(root.name, root, classes, distractors=distractors)


def load_ukbench(root: Path) -> DataSet:
    """Read UKBench: ``ukbench00000.jpg`` and so on, four pictures of each object, one after the other.

    Nistér and Stewénius, Scalable recognition with a vocabulary tree, 2006; 10,200 pictures from
    https://archive.org/details/ukbench. All are queries. The published score counts how many of the first 4
    are right with the query among them; here the query is not among its positives.
    """
    groups, others = _by_number(root, _UKBENCH, lambda number: number // 4)
    _check_found(groups, root, "ukbench00000.jpg")
    return grouped(root.name, root, groups, distractors=others)


def load_holidays(root: Path) -> DataSet:
    """Read INRIA Holidays: ``100000.jpg``; the hundreds are the scene, and its first picture the query.

    Jégou, Douze and Schmid, Hamming embedding and weak geometric consistency, 2008; 1,491 pictures of 500
    scenes from https://lear.inrialpes.fr/~jegou/data.php.
    """
    groups, others = _by_number(root, _HOLIDAYS, lambda number: number // 100)
    _check_found(groups, root, "100000.jpg")
    positives = {}
    for scene, members in groups.items():
        first = next((name for name in members if PurePosixPath(name).stem.endswith("00")), None)
        if first is None:
            raise InputError(
                f"{root}: scene {scene} has no query {scene}00.jpg; add it or take the scene out."
            )
        positives[first] = frozenset(members) - {first}
    gallery = {*others, *(name for members in groups.values() for name in members)}
    return DataSet(root.name, str(root), tuple(sorted(gallery)), tuple(sorted(positives)), positives)


def load_copydays(root: Path) -> DataSet:
    """Read INRIA Copydays: 157 originals, each cropped, compressed and attacked strongly.

    The originals (``original/200000.jpg``) are searched in; the copies are the queries: ``crops/50`` with
    half of the surface cut off, ``jpeg/20`` of that quality, ``strong`` (printed and scanned, painted over).
    The hundreds of a name say which original it comes from. Douze et al., Evaluation of GIST descriptors for
    web-scale image search, 2009; https://lear.inrialpes.fr/~jegou/data.php.
    """
    originals: dict[int, str] = {}
    copies: dict[str, tuple[int, str]] = {}
    others = []
    for name in list_pictures(root):
        path = PurePosixPath(name)
        kind, grade = _copydays_kind(path.parts[:-1])
        if kind is None or not _COPYDAYS.fullmatch(path.stem):
            others.append(name)
        elif kind == "original":
            originals[int(path.stem) // 100] = name
        else:
            copies[name] = (int(path.stem) // 100, f"{kind} {grade}".strip())
    for name, (number, _) in copies.items():
        if number not in originals:
            raise InputError(f"{root}: {name} has no original {number}00.jpg in a folder named original.")
    _check_found(copies, root, "jpeg/20/200000.jpg beside original/200000.jpg")
    return DataSet(
        root.name,
        str(root),
        tuple(sorted({*originals.values(), *others})),
        tuple(sorted(copies)),
        {name: frozenset((originals[number],)) for name, (number, _) in copies.items()},
        edits={name: label for name, (_, label) in copies.items()},
    )


def _copydays_kind(folders: Sequence[str]) -> tuple[str | None, str]:
    """Return kind and grade that a copy's folders name: ``crops/50`` is crop 50."""
    for place, folder in enumerate(folders):
        if found := _COPYDAYS_FOLDER.fullmatch(folder):
            return found[1].lower(), "".join(folders[place + 1 : place + 2])
    return None, ""


def load_oxford(root: Path) -> DataSet:
    """Read Oxford 5k and Paris 6k: ``all_souls_1_query.txt`` with its ``_good``, ``_ok`` and ``_junk``.

    The text files lie in `root` or a folder of it, the pictures anywhere below `root`. What is good or ok
    is right; junk is ignored. A query file names a picture (Oxford's with ``oxc1_`` before it) and the box
    in it that is asked about. The query's own picture is left out of its positives, so figures are a little
    lower than those of the authors' program, which counts it. Philbin et al., Object retrieval with large
    vocabularies and fast spatial matching, 2007, and Lost in quantization, 2008;
    https://www.robots.ox.ac.uk/~vgg/data/oxbuildings/ and .../parisbuildings/.
    """
    names = list_pictures(root)
    by_stem = {PurePosixPath(name).stem: name for name in names}
    positives: dict[str, set[str]] = {}
    ignored: dict[str, set[str]] = {}
    boxes: dict[str, Box] = {}
    for path in oxford_query_files(root):
        query, box = _read_oxford_query(path, by_stem)
        if query in boxes and boxes[query] != box:
            raise InputError(f"{path}, line 1: {query} is already asked about with another box.")
        boxes[query] = box
        lists = {
            kind: _read_oxford_list(path.with_name(path.name.replace("_query.txt", f"_{kind}.txt")), by_stem)
            for kind in ("good", "ok", "junk")
        }
        positives.setdefault(query, set()).update((lists["good"] | lists["ok"]) - {query})
        ignored.setdefault(query, set()).update(lists["junk"] - {query})
    _check_found(boxes, root, "all_souls_1_query.txt")
    return DataSet(
        root.name,
        str(root),
        tuple(names),
        tuple(sorted(boxes)),
        {query: frozenset(right) for query, right in positives.items()},
        ignored={query: frozenset(junk - positives[query]) for query, junk in ignored.items()},
        boxes=boxes,
    )


def oxford_query_files(root: Path) -> list[Path]:
    """Return the query files of Oxford and Paris in a folder or in the folders directly in it."""
    return sorted([*root.glob("*_query.txt"), *root.glob("*/*_query.txt")])


def _read_oxford_query(path: Path, by_stem: dict[str, str]) -> tuple[str, Box]:
    fields = read_text(path).split()
    try:
        left, upper, right, lower = (float(field) for field in fields[1:])
    except ValueError as error:
        raise InputError(f"{path}, line 1: expected a picture and the four edges of its box.") from error
    return _picture_of(fields[0].removeprefix("oxc1_"), by_stem, f"{path}, line 1"), (
        left,
        upper,
        right,
        lower,
    )


def _read_oxford_list(path: Path, by_stem: dict[str, str]) -> set[str]:
    lines = enumerate(read_text(path).splitlines(), 1)
    return {
        _picture_of(line.strip(), by_stem, f"{path}, line {number}") for number, line in lines if line.strip()
    }


def _picture_of(stem: str, by_stem: dict[str, str], place: str) -> str:
    if stem not in by_stem:
        raise InputError(f"{place}: there is no picture {stem!r}; unpack the pictures below the same folder.")
    return by_stem[stem]


def load_stanford(root: Path) -> DataSet:
    """Read Stanford Online Products: ``Ebay_test.txt`` and the folders of pictures beside it.

    Its lines are image, class, super class and path after one line of headings; pictures of one class show
    one product. The test half alone is read: 60,502 pictures of 11,316 products, all of them queries. Song
    et al., Deep metric learning via lifted structured feature embedding, 2016;
    https://cvgl.stanford.edu/projects/lifted_struct/.
    """
    path = root / STANFORD_LIST
    products: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split(maxsplit=3)
        if number == 1 or not fields:
            continue
        place = f"{path}, line {number}"
        if len(fields) != 4:
            raise InputError(f"{place}: expected image, class, super class and path, not {line[:80]!r}.")
        products[fields[1]].append(check_named(root, fields[3], place))
    _check_found(products, root, f"a line in {STANFORD_LIST}")
    return grouped(root.name, root, products)


def layout_by_names(root: Path) -> str:
    """Recognise a layout by the names of the pictures; a folder per class where no other is recognised."""
    names = [PurePosixPath(name) for name in list_pictures(root)]
    kinds = {_copydays_kind(name.parts[:-1])[0] for name in names if _COPYDAYS.fullmatch(name.stem)}
    if "original" in kinds and len(kinds - {None}) > 1:
        return "copydays"
    for layout, pattern in (("ukbench", _UKBENCH), ("holidays", _HOLIDAYS)):
        fitting = [name for name in names if pattern.fullmatch(name.stem)]
        # In one folder: with numbers alone for names, a folder per class may hold such names by chance.
        if 2 * len(fitting) > len(names) and len({name.parent for name in fitting}) == 1:
            return layout
    return "folders"


def _by_number(
    root: Path, pattern: re.Pattern[str], group_of: Callable[[int], int]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the pictures whose name fits the pattern by group, and the others."""
    groups: dict[str, list[str]] = defaultdict(list)
    others = []
    for name in list_pictures(root):
        found = pattern.fullmatch(PurePosixPath(name).stem)
        if found:
            groups[str(group_of(int(found[found.re.groups])))].append(name)
        else:
            others.append(name)
    return groups, others


def _check_found(found: Sized, root: Path, example: str) -> None:
    if not found:
        raise InputError(f"{root} does not hold this layout; it would have {example}.")
