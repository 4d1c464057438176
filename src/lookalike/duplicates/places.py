"""What a file's place and name say of it: an album, or a download, a cache, a second copy."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from lookalike.media.folders import is_in

_WAITING_ROOMS = frozenset(
    (
        *(
            "downloads",
            "download",
            "下载",
            "下載",
            "ダウンロード",
            "téléchargements",
            "descargas",
            "scaricati",
        ),
        *(
            "herunterladungen",
            "загрузки",
            "temp",
            "tmp",
            "cache",
            "caches",
            ".cache",
            "thumbnails",
            ".thumbnails",
        ),
        *(
            "trash",
            ".trash",
            "recycle.bin",
            "$recycle.bin",
            "recycled",
            "papierkorb",
            "回收站",
            "desktop",
            "桌面",
        ),
        *("screenshots", "screenshot", "截图", "截屏", "duplicates", "recovered", "lost+found", "unsorted"),
        *("inbox", "bluetooth", "sent", "whatsapp images", "telegram images", "wechat", "weixin", "微信"),
    )
)
"""Folders where pictures lie until someone sorts them, in lower case."""

_COPY_NAME = re.compile(
    r"""(?: \s*-\s*(?:copy|kopie|copie|copia|副本|拷贝|コピー) (?:\s*\(\d+\))?   # Windows: a - Copy (2)
          | \s+(?:copy|kopie|copie|copia)(?:\s+\d+)?                         # macOS: a copy 2
          | \s*的?(?:副本|拷贝)(?:\s*\d+|\s*\(\d+\))?
          | \s*\((?:\d{1,3}|copy|another\ copy|\d+\w*\ copy|副本(?:\s*\d+)?|第\s*\d+\s*个?副本)\)
          | [ _-]+(?:edited|resized|small|thumb|thumbnail|preview)
        )$ | ^(?:copy\ of|kopie\ von|copie\ de|copia\ di|copia\ de)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def says_copy(path: str) -> bool:
    """Whether a file's name says that it is a copy: ``a - Copy (2).jpg``, ``a (1).jpg``, ``a 副本.jpg``."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return _COPY_NAME.search(stem) is not None


def n_unsorted(path: str) -> int:
    """Return how many of a file's folders are for downloads, caches and the like."""
    return sum(part.lower() in _WAITING_ROOMS for part in os.path.dirname(path).split(os.sep))


def standing_of_place(path: str) -> int:
    """Return how much a file's place speaks for it: 0 for a name in an album, less for downloads and copies.

    Folders are counted, so that one that all files lie in, such as a whole library below `tmp`, says nothing.
    """
    return -n_unsorted(path) - says_copy(path)


def say_place(path: str) -> str:
    """Return the same in words."""
    words = []
    if n_unsorted(path):
        words.append("among downloads, caches or the like")
    if says_copy(path):
        words.append("named as a copy")
    return " and ".join(words) or "in a folder of its own"


def rank_by_folders(path: str, folders: Sequence[str]) -> int:
    """Return how early in a list the folder stands that a file lies in: more is earlier, 0 for none of them."""
    return next((len(folders) - n for n, folder in enumerate(folders) if is_in(path, [folder])), 0)
