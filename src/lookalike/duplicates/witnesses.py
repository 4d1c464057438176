"""What files say of their pictures beside the pixels: read once, by worker processes, and kept in the gallery."""

from __future__ import annotations

from collections.abc import Iterable

from lookalike.duplicates.pair_workers import Extracted, FileFacts, MetadataTask
from lookalike.duplicates.proofs import Proofs
from lookalike.records.metadata import METADATA, NOTHING_SAID, Metadata
from lookalike.storage.store import Store


class Witnesses:
    """The metadata of contents, as far as they were asked for.

    Parameters
    ----------
    store, proofs : the gallery, and what knows its files and workers
    """

    def __init__(self, store: Store, proofs: Proofs) -> None:
        self._store = store
        self._proofs = proofs
        self._known: dict[int, Metadata] = {}

    def hear(self, content_ids: Iterable[int]) -> None:
        """Read what these contents say, as far as that is not known; what cannot be read says nothing."""
        tasks = []
        for content_id in sorted(set(content_ids) - self._known.keys()):
            data = self._store.features.of(content_id, [METADATA]).get(METADATA.feature)
            if data is not None:
                self._known[content_id] = Metadata.from_bytes(data)
            else:
                file = FileFacts.of(self._proofs.contents[content_id][0])
                tasks.append(MetadataTask(content_id, file))
                self._known[content_id] = NOTHING_SAID
        for answers in self._proofs.run("metadata", tasks):
            with self._store.batch() as batch:
                for answer in answers:
                    if isinstance(answer, Extracted):
                        batch.add_feature(answer.content_id, METADATA, answer.data)
                        self._known[answer.content_id] = Metadata.from_bytes(answer.data)

    def of(self, content_id: int) -> Metadata:
        """Return what a content says; ask `hear` for many at once before."""
        self.hear([content_id])
        return self._known[content_id]
