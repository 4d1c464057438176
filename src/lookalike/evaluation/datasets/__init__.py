"""Data sets with ground truth, read from where the user has them; see `load_dataset`."""

from lookalike.evaluation.datasets.data_set import Box, DataSet, list_pictures
from lookalike.evaluation.datasets.load import LAYOUTS, load_dataset

__all__ = ["LAYOUTS", "Box", "DataSet", "list_pictures", "load_dataset"]
