"""Columns of the raw table as fields of a request."""

from __future__ import annotations

import pytest

from jupyter_mlops.convert.serving import row_fields
from jupyter_mlops.errors import ConversionError
from jupyter_mlops.signature import Column, Output, Signature


def _signature(*names: str) -> Signature:
    return Signature(tuple(Column(name, "float64", "float") for name in names), Output("regression", "float64"))


def test_names_that_are_no_identifiers_are_fields() -> None:
    fields = row_fields(_signature("size (m²)", "size_m", "class", "it's", "1st", "literal", "größe"))
    assert [one.name for one in fields] == ["size (m²)", "size_m", "class", "it's", "1st", "literal", "größe"]
    assert all(one.identifier.isidentifier() for one in fields)
    assert len({one.identifier for one in fields}) == len(fields)


@pytest.mark.parametrize("name", ['size "net"', "a\\b", "unit\nprice", "tab\there"])
def test_a_name_that_no_request_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConversionError, match="Rename it where the table is loaded") as found:
        row_fields(_signature("size", name))
    assert repr(name) in str(found.value)
