"""Gives each operation of the OpenAPI document its own test."""

import dataclasses

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make the names of generated tests unique: pytest-xdist would otherwise run only one of them."""
    for item in items:
        label = getattr(item, "operation_label", None)
        if label is not None:
            item._id = dataclasses.replace(item._id, params=label)
