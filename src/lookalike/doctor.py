"""Is this installation sound? Processor, codecs, model, versions, and tests with known answers."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import LookalikeError
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

GOLDEN_HASHES = {
    "ahash": "0011071e3973666d",
    "dhash": "78e1def8f3e7ccd9",
    "phash": "823d734c1b37a42f",
    "whash": "00110f1f3973ef6d",
}
MIN_SELF_TEST_COSINE = 0.999
_NAME = re.compile(r"[\w.-]+")
_EXTRA = re.compile(r"""extra == ['"]([\w-]+)['"]""")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do where something is missing."""

    name: str
    value: str
    remedy: str = ""
    is_broken: bool = False


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that lookalike needs; nothing is changed."""
    checks: tuple[Callable[[Settings], list[Finding]], ...] = (
        _system,
        _packages,
        _codecs,
        _golden_hashes,
        _golden_embeddings,
    )
    return [finding for check in checks for finding in check(settings)]


def _system(_: Settings) -> list[Finding]:
    from lookalike import __version__

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    features = cpu_features()
    vector = ", ".join(features) if features else "not told by this system"
    return [
        Finding("lookalike", f"{__version__} on Python {platform.python_version()}, {platform.platform()}"),
        Finding("processor", f"{cores} cores; vector instructions: {vector}"),
    ]


def cpu_features() -> list[str]:
    """Return the vector instructions that matter here, as far as the system tells."""
    wanted = (
        "sse4_2",
        "avx",
        "avx2",
        "avx_vnni",
        "avx512f",
        "avx512_vnni",
        "amx_int8",
        "asimd",
        "asimddp",
        "i8mm",
    )
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    present = {
        word for line in text.splitlines() if line.startswith(("flags", "Features")) for word in line.split()
    }
    return [feature for feature in wanted if feature in present]


def _packages(_: Settings) -> list[Finding]:
    return [_package(name, extra) for name, extra in required_packages()]


def _package(name: str, extra: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        remedy = f"pip install 'lookalike[{extra}]'" if extra else f"pip install {name}"
        return Finding(name, "not installed", remedy, is_broken=not extra)


def required_packages() -> list[tuple[str, str]]:
    """Return (package, extra) of all that this installation may want; the extra is empty for the core.

    As the installed metadata of lookalike say, the core first, each package once.
    """
    found: dict[str, str] = {}
    for requirement in sorted(requires("lookalike") or [], key=lambda text: "extra ==" in text):
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        if name is not None:
            found.setdefault(name[0], extra[1] if extra else "")
    return list(found.items())


def _codecs(_: Settings) -> list[Finding]:
    from PIL import features

    names = {
        "jpg": "JPEG",
        "webp": "WebP",
        "avif": "AVIF",
        "jpg_2000": "JPEG 2000",
        "zlib": "PNG",
        "libtiff": "TIFF",
    }
    found = []
    for codec, label in names.items():
        detail = features.version(codec) if features.check(codec) else None
        if detail:
            found.append(Finding(f"{label} decoder", str(detail)))
        else:
            found.append(Finding(f"{label} decoder", "absent", "install Pillow from its official wheels"))
    turbo = features.check_feature("libjpeg_turbo")
    return [*found, Finding("fast JPEG (libjpeg-turbo)", "yes" if turbo else "no: JPEGs decode slowly")]


def _golden_hashes(_: Settings) -> list[Finding]:
    """Hash a drawn picture whose hashes are known from ImageHash 4.3.2."""
    from lookalike.features.hashes import HASHES, to_hex

    picture = golden_picture()
    wrong = [name for name, text in GOLDEN_HASHES.items() if to_hex(HASHES[name](picture)) != text]
    if wrong:
        remedy = "reinstall Pillow, numpy and scipy from their official wheels"
        return [Finding("hash self-test", f"{', '.join(wrong)} differ from the known answer", remedy, True)]
    return [Finding("hash self-test", "all four as known")]


def golden_picture() -> Image:
    """Return the picture of the self-test: a drawing of gradients and blocks, the same everywhere."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[0:192, 0:256]
    red = (rows * 3 + columns) % 256
    green = (rows * columns // 64) % 256
    blue = np.where((rows // 24 + columns // 32) % 2 == 0, 220, 40)
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def _golden_embeddings(settings: Settings) -> list[Finding]:
    return [finding for model in settings.model_list for finding in _golden_embedding(model, settings)]


def _golden_embedding(model: str, settings: Settings) -> list[Finding]:
    from lookalike.features.embedding.catalogue import CATALOGUE
    from lookalike.features.embedding.engine import open_embedder, self_test

    try:
        embedder = open_embedder(model, settings)
        cosine = self_test(embedder) if model in CATALOGUE else None
    except LookalikeError as error:
        return [Finding("embedding model", "cannot be used", str(error), True)]
    found = [Finding("embedding model", embedder.recipe.words)]
    if cosine is None:
        return [*found, Finding("embedding self-test", "this model has no known answer to compare with")]
    if cosine < MIN_SELF_TEST_COSINE:
        remedy = "reinstall onnxruntime; embeddings made here would not fit those made elsewhere"
        return [
            *found,
            Finding("embedding self-test", f"cosine {cosine:.5f} with the known answer", remedy, True),
        ]
    return [*found, Finding("embedding self-test", f"cosine {cosine:.5f} with the known answer")]
