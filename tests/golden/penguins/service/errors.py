"""What is wrong with a request, as values that say where."""

from __future__ import annotations

import msgspec

Location = tuple[str | int, ...]


class Problem(msgspec.Struct):
    """One thing that is wrong, and where: `loc` is the path to it, as FastAPI writes it."""

    loc: Location
    msg: str
    type: str


class Problems(msgspec.Struct):
    """Body of an answer that refuses a request."""

    detail: list[Problem]


class RequestError(Exception):
    """The request cannot be answered; `status` and `problems` go to the caller."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__("; ".join(problem.msg for problem in problems))
        self.status = status
        self.problems = list(problems)

    def below(self, *prefix: str | int) -> RequestError:
        """The same, with every location below `prefix`."""
        moved = [Problem((*prefix, *one.loc), one.msg, one.type) for one in self.problems]
        return RequestError(self.status, *moved)


def encode_problems(error: RequestError) -> bytes:
    """The error as FastAPI answers it: ``{"detail": [{"loc", "msg", "type"}]}``."""
    return msgspec.json.encode(
        Problems(
            [
                Problem(
                    tuple(plain(part) if isinstance(part, str) else part for part in one.loc),
                    plain(one.msg),
                    one.type,
                )
                for one in error.problems
            ]
        )
    )


def plain(text: str) -> str:
    """Text that UTF-8 can hold: JSON may escape half a surrogate pair."""
    return text.encode("utf-8", "backslashreplace").decode()[:500]
