"""What one can ask of a gallery: every verb, written once."""

from lookalike.api.asking import Page as Page
from lookalike.api.gallery import Gallery as Gallery
