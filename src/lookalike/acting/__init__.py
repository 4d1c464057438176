"""Answers -> deeds: the only stage that touches a person's files. Plan, apply, undo; nothing is lost."""
