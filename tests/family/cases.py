"""All notebooks of the family, by name."""

from __future__ import annotations

from tests.family import arrays, encoders, fills, helpers, levels, refused, rows, targets
from tests.family.case import Case

__all__ = ["CASES"]

CASES: dict[str, Case] = {
    case.name: case for module in (fills, levels, encoders, helpers, arrays, rows, targets, refused) for case in module.CASES
}
