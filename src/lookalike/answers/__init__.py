"""Answers as JSON has them: what commands print and servers send, made from the stages' records and back."""
