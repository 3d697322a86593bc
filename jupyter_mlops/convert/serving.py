"""The request fields of the generated service: raw columns as typed, documented fields of a msgspec Struct."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.identifiers import PythonIdentifier, unique
from jupyter_mlops.errors import ConversionError

if TYPE_CHECKING:
    from jupyter_mlops.signature import Column, Signature

__all__ = ["Field", "row_fields"]

_TYPES = {"float": "float", "integer": "int", "boolean": "bool", "string": "str", "datetime": "datetime"}
_LARGEST = {"float32": "3.4028234663852886e38", "float16": "65504.0"}
_SHOWN = 12  # categories of an open column that its description lists
_NO_KEY = re.compile(r'["\\\x00-\x1f]')  # msgspec has no such keys
# Names that the generated module or msgspec uses for something else.
_RESERVED = frozenset({"annotated", "datetime", "literal", "meta", "struct", "self", "cls"})


@dataclass(frozen=True)
class Field:
    """One field of a request row; everything that the template places."""

    name: str  # JSON key: the column's name
    identifier: str  # field name in Python
    annotation: str  # Python source of the type
    alias: tuple[str, str] | None  # name and source of the type that `annotation` uses, to be defined before
    default: str | None  # Python source of the default; None when the field must be given
    description: str
    kind: str
    dtype: str
    nullable: bool
    closed: bool
    categories: tuple[Any, ...] | None
    minimum: float | None
    maximum: float | None
    example: Any
    levels: str | None  # Python source of the accepted values that no Literal can hold (floats, a mix of types)


def row_fields(raw: Signature) -> tuple[Field, ...]:
    """The columns of a request row as fields, in order.

    Parameters
    ----------
    raw
        The signature of the rows that the service takes.

    Returns
    -------
    tuple of Field
        Identifiers are valid and distinct, also where column names are not.

    Raises
    ------
    ConversionError
        A name cannot be the key of a request.
    """
    for column in raw.inputs:
        if _NO_KEY.search(column.name):
            raise ConversionError(
                f"The column {column.name!r} has a quotation mark, a backslash or a control character in its name, which no field of a "
                f"request can have. Rename it where the table is loaded: .rename(columns={{{column.name!r}: ...}})."
            )
    taken: set[str] = set(_RESERVED)
    fields = []
    for column in raw.inputs:
        identifier = unique(str(PythonIdentifier(column.name, fallback="column")), taken, suffixes=("column",))
        taken.add(identifier)
        fields.append(_field(column, identifier))
    return tuple(fields)


def _field(column: Column, identifier: str) -> Field:
    description = _description(column)
    wanted = str if column.kind == "string" else int
    literal = column.closed and column.kind in ("string", "integer") and bool(column.categories)
    literal = literal and all(type(one) is wanted for one in column.categories or ())
    alias = None if literal else _alias(column)
    levels = ", ".join(map(repr, column.categories or ()))
    kind = f"Literal[{levels}]" if literal else alias[0] if alias else _TYPES[column.kind]
    meta = [f"description={description!r}"]
    if column.example is not None:
        meta.append(f"examples=[{column.example!r}]")
    checked = column.closed and column.categories and not literal and column.kind != "boolean"
    return Field(
        name=column.name,
        identifier=identifier,
        annotation=f"Annotated[{kind}{' | None' if column.nullable else ''}, Meta({', '.join(meta)})]",
        alias=alias,
        default="None" if column.nullable else None,
        description=description,
        kind=column.kind,
        dtype=column.dtype,
        nullable=column.nullable,
        closed=column.closed,
        categories=column.categories,
        minimum=column.minimum,
        maximum=column.maximum,
        example=column.example,
        levels=repr(tuple(column.categories or ())) if checked else None,
    )


def _alias(column: Column) -> tuple[str, str] | None:
    """Name and source of a type that refuses what the dtype cannot hold.

    The range seen in training is documentation and refuses nothing.
    """
    if column.kind == "integer":
        dtype = column.dtype.lower()
        unsigned = dtype.startswith("u")
        digits = dtype.removeprefix("u").removeprefix("int")
        bits = int(digits) if digits.isdigit() else 64
        # msgspec knows no bound above int64: the upper half of uint64 is refused.
        low, high = (0, min(2**bits, 2**63) - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return f"{'U' if unsigned else ''}Int{bits}", f"Annotated[int, Meta(ge={low}, le={high})]"
    if column.kind == "float" and (limit := _LARGEST.get(column.dtype.lower())):
        return column.dtype.capitalize(), f"Annotated[float, Meta(ge=-{limit}, le={limit})]"
    if column.kind == "datetime":
        zone = "," in column.dtype
        return ("AwareDatetime" if zone else "NaiveDatetime"), f"Annotated[datetime, Meta(tz={zone})]"
    return None


def _description(column: Column) -> str:
    parts = [column.dtype]
    if column.minimum is not None and column.maximum is not None:
        parts.append(f"{column.minimum:.12g} to {column.maximum:.12g} in training")
    if column.categories and not column.closed and column.kind != "boolean":
        shown = ", ".join(map(str, column.categories[:_SHOWN]))
        more = len(column.categories) - _SHOWN
        parts.append(f"in training: {shown}{f' and {more} more' if more > 0 else ''}; others are accepted")
    if column.nullable:
        parts.append("null when missing")
    return "; ".join(parts)
