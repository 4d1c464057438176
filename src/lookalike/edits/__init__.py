"""Edited copies of a picture: what happens to pictures that are passed on, by name and grade.

`standard_edits` are twenty, `graded_edits` all, `perception_edits` the ten of a published table.
`apply_edit` makes one copy in memory, `write_edits` a folder of them with its ground truth.
"""

from lookalike.edits.catalogue import EDITS_VERSION, graded_edits, perception_edits, standard_edits
from lookalike.edits.copies import GROUND_TRUTH_NAME, EditedCopies, write_edits
from lookalike.edits.edit import Edit, Maker, apply_edit

__all__ = [
    "EDITS_VERSION",
    "GROUND_TRUTH_NAME",
    "Edit",
    "EditedCopies",
    "Maker",
    "apply_edit",
    "graded_edits",
    "perception_edits",
    "standard_edits",
    "write_edits",
]
