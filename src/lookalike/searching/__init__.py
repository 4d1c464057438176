"""Queries -> ranked matches."""
