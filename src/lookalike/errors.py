"""Every error that lookalike raises on purpose.

::

    LookalikeError
    ├── InputError (ValueError)            a value, option or name that cannot be used
    │   └── QueryError                     a query that names no picture here
    ├── OutputError (OSError)              an answer cannot be written where it should go
    ├── PictureError (ValueError)          one picture that cannot become features
    │   ├── ReadError                      its bytes could not be read
    │   ├── DecodeError                    its bytes are no picture we can decode
    │   └── LimitError                     it exceeds a limit of the settings
    ├── FeatureMismatchError (ValueError)  features of different recipes were about to be mixed
    ├── ModelError (RuntimeError)          an embedding model cannot be built, loaded or run
    ├── StoreError (RuntimeError)          a gallery cannot be opened, read or written
    │   ├── GalleryNotFoundError (FileNotFoundError)
    │   ├── UnwritableError            it can be read but not written: read-only, or its disk is full
    │   └── NewerGalleryError              written by a newer lookalike
    ├── MissingExtraError (ImportError)    an optional package is not installed
    └── PluginError (RuntimeError)         another package adds to lookalike, and cannot be loaded

Messages say what happened, to which file or value, and what to do next.
"""

from __future__ import annotations


class StopRequested(KeyboardInterrupt):
    """Raised by a progress callback to end a run as Ctrl-C does: what is done is kept."""


class LookalikeError(Exception):
    """Base of every error raised on purpose; its text is one sentence for a person.

    Examples
    --------
    >>> try:
    ...     gallery.search("Pictures/sea.jpg")
    ... except LookalikeError as error:
    ...     print(error)
    Pictures/sea.jpg: there is no such file or folder
    """


class InputError(LookalikeError, ValueError):
    """A value, option or name that cannot be used."""


class QueryError(InputError):
    """A query that names no picture here: an unknown id, or an address elsewhere."""


class OutputError(LookalikeError, OSError):
    """An answer cannot be written where it should go: to a file, or to standard output."""


class PictureError(LookalikeError, ValueError):
    """One picture that cannot become features.

    `stage` names the step that failed (``read``, ``decode``, ``limit``, ``features``); it is kept in
    the gallery beside the reason.
    """

    stage = "features"


class ReadError(PictureError):
    """The bytes of a picture could not be read, or changed while they were read."""

    stage = "read"


class DecodeError(PictureError):
    """The bytes are damaged, or of a format that cannot be decoded here."""

    stage = "decode"


class LimitError(PictureError):
    """The picture exceeds a limit of the settings (pixels, bytes, seconds, memory)."""

    stage = "limit"


class FeatureMismatchError(LookalikeError, ValueError):
    """Features of different recipes, sizes or models were about to be compared."""


class ModelError(LookalikeError, RuntimeError):
    """An embedding model cannot be built, loaded or run."""


class StoreError(LookalikeError, RuntimeError):
    """A gallery cannot be opened, read or written."""


class GalleryNotFoundError(StoreError, FileNotFoundError):
    """There is no gallery at that place."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnwritableError(StoreError):
    """The gallery can be read but not written: it is read-only, or its disk is full."""


class NewerGalleryError(StoreError):
    """The gallery was written by a newer version of lookalike."""


class MissingExtraError(LookalikeError, ImportError):
    """An optional package is not installed; the message names the extra to install."""


class PluginError(LookalikeError, RuntimeError):
    """A package that adds features, models, ways or tiers cannot be loaded."""
