"""Gives every operation of the OpenAPI document a test of its own."""

import dataclasses

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell tests of one name apart, which schemathesis makes: pytest-xdist would run one of them."""
    for item in items:
        label = getattr(item, "operation_label", None)
        if label is not None:
            item._id = dataclasses.replace(item._id, params=label)
