"""Answers -> JSON, CSV, HTML and figures: one serialiser for every face."""
