"""Edited copies of a picture: what happens to pictures that are passed on, by name and grade.

`standard_edits` are twenty, `graded_edits` all, `perception_edits` the ten of a published table.
`apply_edit` makes one copy in memory; `lookalike.evaluation.datasets.copies` writes folders of them.
"""

from lookalike.edits.catalogue import EDITS_VERSION, graded_edits, perception_edits, standard_edits
from lookalike.edits.edit import Edit, Maker, apply_edit

__all__ = [
    "EDITS_VERSION",
    "Edit",
    "Maker",
    "apply_edit",
    "graded_edits",
    "perception_edits",
    "standard_edits",
]
