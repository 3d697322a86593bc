"""Names in generated code."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.convert.identifiers import ProjectName, PythonIdentifier, unique


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [("Flight delays (2013)", "flight_delays_2013"), ("2 fast", "name_2_fast"), ("class", "class_"), ("Prix élevé", "prix_eleve"),
     ("HousePrices", "house_prices"), ("???", "name")],
)  # fmt: skip
def test_identifiers(given_name: str, expected: str) -> None:
    assert PythonIdentifier(given_name) == expected


@given(st.text(max_size=40))
def test_whatever_the_text_the_result_is_an_identifier(text: str) -> None:
    name = PythonIdentifier(text)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


def test_a_package_never_hides_a_library_or_a_folder_of_the_project() -> None:
    assert ProjectName("pandas").package == "pandas_model"
    assert ProjectName("service").package == "service_model"
    assert ProjectName("flight delays").package == "flight_delays"


def test_unique() -> None:
    assert unique("train", set()) == "train"
    assert unique("train", {"train"}, suffixes=()) == "train_2"
    assert unique("train", {"train"}) == "train_stage"
