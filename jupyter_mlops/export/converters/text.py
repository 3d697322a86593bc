"""Bags of words.

Words are cut by ONNX Runtime's `Tokenizer` with classes that mean the same as Python's unicode `\\w`. Lower case is done
by `StringNormalizer` in the C locale, the only one that exists everywhere: it lowers ASCII alone. So a word of the
vocabulary with other letters, such as "zürich", is looked up under each spelling that Python would lower to it
("zÜrich" too), an ASCII k also as the Kelvin sign. A vocabulary with too many of them (Cyrillic, Greek) is refused.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import Any

from jupyter_mlops.export.compiler import Compiler, transforms
from jupyter_mlops.export.converters.numeric import row_normalize
from jupyter_mlops.export.graph import ML_DOMAIN, Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__: list[str] = []

_MICROSOFT = "com.microsoft"
_WORD = r"[\p{L}\p{N}_]"  # what str.isalnum says, and the underscore
_DOTTED = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
_KELVIN = "\N{KELVIN SIGN}"
_SIGMAS = {"\N{GREEK SMALL LETTER SIGMA}", "\N{GREEK SMALL LETTER FINAL SIGMA}"}
_MOST_SPELLINGS = 4096  # of one word
_MOST_KEYS = 200_000  # of all: a few megabytes
_PLAIN = rf"(?:[^\P{{L}}{_DOTTED}]|[\p{{N}}_])"  # the same without that capital
_UNKNOWN, _PAD = -2, -1


@lru_cache(maxsize=1)
def _capitals() -> dict[str, list[str]]:
    """Letters outside ASCII by the single letter that they are lowered to."""
    out: dict[str, list[str]] = {}
    for point in range(128, 0x1FFFF):
        lowered = chr(point).lower()
        if lowered != chr(point) and len(lowered) == 1:  # the Kelvin sign becomes an ASCII k
            out.setdefault(lowered, []).append(chr(point))
    return out


def _spellings(word: str) -> list[str]:
    """What Python would lower to this word, ASCII letters being lowered already."""
    if word != word.lower():
        return []
    choices = [[letter, *_capitals().get(letter, [])] for letter in word]
    if word.endswith("i"):  # the capital with a dot becomes i and a combining dot, which ends the word
        choices[-1].append(_DOTTED)
    count = 1
    for choice in choices:
        count *= len(choice)
    if _SIGMAS & set(word):
        raise Unsupported(f"words such as {word!r}: how a capital sigma is lowered depends on its place")
    if count > _MOST_SPELLINGS:
        raise Unsupported(f"words such as {word!r} cannot be lowered outside ASCII; set lowercase=False")
    return ["".join(letters) for letters in itertools.product(*choices)]


def _run(letter: str, least: int, *, dotted: bool) -> str:
    """At least so many letters; Python lowers before it cuts, so that a dotted capital I ends the word as an i."""
    plain = f"{letter}{{{least},}}"
    return f"{letter}{{{least - 1},}}{_DOTTED}|{plain}" if dotted else plain


def _pattern(pattern: str, lowercase: bool) -> str:
    """The token pattern for RE2, whose \\w is ASCII and which knows no unicode \\b."""
    bare = pattern.replace("(?u)", "")
    words = re.fullmatch(r"(?:\\b)?((?:\\w)+)(\+|\{\d+,\})?(?:\\b)?", bare)
    if words and words[2]:  # a greedy run of word characters ends at a boundary by itself
        least = words[1].count(r"\w") - 1 + (1 if words[2] == "+" else int(words[2][1:-2]))
        least = max(least, 1)
        return _run(_PLAIN, least, dotted=True) if lowercase else f"{_WORD}{{{least},}}"
    listed = re.fullmatch(r"\[([A-Za-z0-9_'-]+)\](\+|\{\d+,\})", bare)
    if listed and not lowercase:
        return bare
    if listed:
        letters = f"[{_KELVIN if re.match(f'[{listed[1]}]', 'k') else ''}{listed[1]}]"
        least = 1 if listed[2] == "+" else int(listed[2][1:-2])
        return _run(letters, max(least, 1), dotted=re.match(letters, "i") is not None)
    raise Unsupported(f"token_pattern={pattern!r}")


def _check(est: Any) -> None:
    if est.analyzer != "word":
        raise Unsupported(f"analyzer={est.analyzer!r}")
    for name in ("preprocessor", "tokenizer", "strip_accents"):
        if getattr(est, name) is not None:
            raise Unsupported(f"{name} is set")
    if est.input != "content":
        raise Unsupported(f"input={est.input!r}")


def _without(g: Graph, tokens: str, ids: str, stop_words: set[str]) -> str:
    """Move the stop words behind the other words of each row, and make them padding: n-grams skip them."""
    import numpy as np

    names = sorted(stop_words)
    stop = _encode(g, tokens, dict.fromkeys(names, 1), 0)
    length = g.op("Gather", g.op("Shape", ids), g.ints(1), axis=0)
    here = g.op("Range", *(g.const(np.array(0, dtype=np.int64)), g.op("Squeeze", length), g.const(np.array(1))))
    keys = g.op("Add", here, g.op("Mul", stop, g.const(np.array(1 << 40, dtype=np.int64))))
    _, order = g.ops("TopK", keys, length, outputs=2, axis=1, largest=0, sorted=1)
    kept = g.op("Where", g.op("Equal", stop, g.const(np.array(1, dtype=np.int64))), g.const(np.array(_PAD)), ids)
    return g.op("GatherElements", kept, order, axis=1)


def _encode(g: Graph, tokens: str, table: dict[str, int], default: int) -> str:
    return g.op(
        "LabelEncoder",
        tokens,
        domain=ML_DOMAIN,
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=default,
    )


def _counts(c: Compiler, est: Any, x: Value) -> str:
    """How often each word or n-gram of the vocabulary stands in the text, [rows, vocabulary]."""
    import numpy as np

    _check(est)
    g = c.graph
    if x.width != 1 or not x.strings():
        raise Unsupported("a text vectoriser needs one text column")
    if x.parts[0].partial:
        raise Unsupported("a text vectoriser on a text that is only known in part")
    text = g.flat(x.parts[0].tensor)
    if est.lowercase:
        text = g.op("StringNormalizer", text, case_change_action="LOWER", is_case_sensitive=1, locale="C")
    pattern = _pattern(est.token_pattern, bool(est.lowercase))
    tokens = g.op("Tokenizer", text, domain=_MICROSOFT, mark=0, pad_value="#", tokenexp=pattern, mincharnum=1)
    grams = {tuple(gram.split(" ")): int(column) for gram, column in est.vocabulary_.items()}
    low, high = est.ngram_range
    if any(not low <= len(gram) <= high or "" in gram for gram in grams):
        raise Unsupported("a vocabulary with blanks inside its words")
    words: dict[str, int] = {}
    for gram in grams:
        for word in gram:
            words.setdefault(word, len(words))
    spell = _spellings if est.lowercase else lambda word: [word]
    spelled: dict[str, int] = {}
    for word, at in words.items():
        spelled.update(dict.fromkeys(spell(word), at))
        if len(spelled) > max(_MOST_KEYS, len(words)):
            raise Unsupported("its words cannot be lowered outside ASCII, there are too many; set lowercase=False")
    stop_words = {s for word in est.get_stop_words() or () for s in spell(word)}
    spelled["#"] = _PAD
    ids = _encode(g, tokens, spelled, _UNKNOWN)
    if stop_words and high > 1:
        ids = _without(g, tokens, ids, stop_words)
    elif stop_words & spelled.keys():
        raise Unsupported("stop words in the vocabulary")
    # A column of padding in front: a batch of empty texts would otherwise have no column at all
    rows = g.op("Concat", g.op("Shape", text), g.ints(1), axis=0)
    ids = g.op("Concat", g.op("Expand", g.const(np.array([[_PAD]], dtype=np.int64)), rows), ids, axis=1)
    pool: list[int] = []
    starts: list[int] = []
    columns: list[int] = []
    for size in range(1, high + 1):
        starts.append(len(pool))
        for gram, column in grams.items():
            if len(gram) == size:
                pool.extend(words[word] for word in gram)
                columns.append(column)
    counted = g.op(
        "TfIdfVectorizer",
        ids,
        mode="TF",
        min_gram_length=int(low),
        max_gram_length=int(high),
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=columns,
        pool_int64s=pool,
    )
    counts = g.cast(counted, "double")
    return g.op("Min", counts, g.number(1.0)) if est.binary else counts


def _tf_idf(g: Graph, est: Any, counts: str) -> str:
    if est.sublinear_tf:
        logarithm = g.op("Add", g.op("Log", g.op("Max", counts, g.number(1.0))), g.number(1.0))
        counts = g.op("Where", g.op("Greater", counts, g.number(0.0)), logarithm, counts)
    if est.use_idf:
        counts = g.op("Mul", counts, g.row(est.idf_))
    return counts if est.norm is None else row_normalize(g, counts, est.norm)


@transforms("sklearn.CountVectorizer")
def count_vectorizer(c: Compiler, est: Any, x: Value) -> Value:
    """Word counts."""
    return Value.of(_counts(c, est, x), len(est.vocabulary_))


@transforms("sklearn.TfidfTransformer")
def tfidf_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """Weighted counts."""
    return Value.of(_tf_idf(c.graph, est, x.matrix(c.graph)), x.width)


@transforms("sklearn.TfidfVectorizer")
def tfidf_vectorizer(c: Compiler, est: Any, x: Value) -> Value:
    """Weighted word counts."""
    import numpy as np

    if np.dtype(est.dtype) != np.float64:
        raise Unsupported(f"dtype={est.dtype!r}")
    return Value.of(_tf_idf(c.graph, est._tfidf, _counts(c, est, x)), len(est.vocabulary_))
