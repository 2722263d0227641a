"""A project with its people, for each test."""

from tests.functions.http.desk import desk

__all__ = ["desk"]
