"""Which texts become a known text: the regular expression against Python itself, on many short texts."""

from __future__ import annotations

import random
import re

import pytest

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.patterns import translate
from jupyter_mlops.export.program.texts import Edit, containing, matcher

# Letters that change their number or their alphabet with their case, blanks that only Python knows
LETTERS = "aAbB _iIsSkK\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}\N{COMBINING DOT ABOVE}ßéÉ\N{KELVIN SIGN}\N{NO-BREAK SPACE}ﬁ"
CHAINS = [
    ("lower",), ("upper",), ("strip",), ("lower", "strip"), ("strip", "lower"), (("replace", "_", " "), "strip"),
    (("replace", " ", ""), "upper"), (("head", 2), "lower"), (("tail", 1),), ("lstrip", "lower"), ("rstrip",),
    (("strip", "_"), ("replace", "a", "b")), ("upper", ("head", 1)),
]  # fmt: skip


def _edits(chain: tuple[object, ...]) -> list[Edit]:
    return [Edit(one) if isinstance(one, str) else Edit(one[0], tuple(one[1:])) for one in chain]  # type: ignore[index]


def _python(pattern: str) -> re.Pattern[str]:
    """RE2's notation of code points in Python's."""
    return re.compile(re.sub(r"\\x\{([0-9A-F]+)\}", lambda found: re.escape(chr(int(found[1], 16))), pattern))


def _made(edits: list[Edit], text: str) -> str:
    for edit in edits:
        text = edit(text)
    return text


def _texts(count: int) -> list[str]:
    generator = random.Random(0)
    return ["".join(generator.choice(LETTERS) for _ in range(generator.randint(0, 4))) for _ in range(count)]


@pytest.mark.parametrize("chain", CHAINS, ids=str)
def test_exactly_the_texts_that_become_it_match(chain: tuple[object, ...]) -> None:
    edits, texts = _edits(chain), _texts(600)
    held = 0
    for wanted in sorted({_made(edits, text) for text in texts})[:60]:
        try:
            pattern = matcher(edits, wanted)
        except Unsupported:
            continue
        held += 1
        compiled = None if pattern is None else _python(pattern)
        for text in texts:
            assert (compiled is not None and compiled.fullmatch(text) is not None) == (_made(edits, text) == wanted), (
                text,
                wanted,
            )
    assert held >= 10


@pytest.mark.parametrize("part", ["a", "bi", "ik", "s_"])
def test_a_part_of_a_lowered_text(part: str) -> None:
    edits = [Edit("lower")]
    pattern = matcher(edits, containing(part))
    assert pattern is not None
    for text in _texts(2000):
        assert (_python(pattern).fullmatch(text) is not None) == (part in text.lower()), text


def test_what_is_not_known_to_be_exact_is_refused() -> None:
    for edits, wanted in (
        ([Edit("lower")], "σ"),
        ([Edit("replace", ("ab", "c"))], "c"),
        ([Edit("tail", (-2,)), Edit("strip")], "a"),
        ([Edit("strip"), Edit("head", (1,))], "a"),
    ):
        with pytest.raises(Unsupported):
            matcher(edits, wanted)


@pytest.mark.parametrize("pattern", ["^[CE]\\d+$", "Mr|Mrs", "a.c", "(?:ab)+\\s[x-z]?", "[^a-c]\\.", "\\Aab\\Z"])
def test_patterns_mean_the_same(pattern: str) -> None:
    generator = random.Random(1)
    found = _python(f"(?s:.*)(?:{translate(pattern)})(?s:.*)".replace(r"\p{Nd}", r"\d").replace(r"\z", r"\Z"))
    for _ in range(1500):
        text = "".join(generator.choice("abcxyCE12 .\nMrs") for _ in range(generator.randint(0, 6)))
        assert (found.fullmatch(text) is not None) == (re.search(pattern, text) is not None), text


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?=a)", r"\bword", "(?i)a", r"a{1000}"])
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(Unsupported):
        translate(pattern)
