"""The analysis ends in good time, however a notebook is written."""

from __future__ import annotations

import time
from pathlib import Path

from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import write_notebook

# Call-backs of a library that hand what they are given to one another, in loops: soon everything holds everything.
HELPERS = """
def moved(board, column, mark, rules):
    after = board.copy()
    for row in range(rules.rows - 1, -1, -1):
        if after[row][column] == 0:
            break
    after[row][column] = mark
    return after

def fits(window, number, mark, rules):
    return window.count(mark) == number and window.count(0) == rules.wanted - number

def windows(board, number, mark, rules):
    found = 0
    for row in range(rules.rows):
        for column in range(rules.columns - (rules.wanted - 1)):
            window = list(board[row, column:column + rules.wanted])
            if fits(window, number, mark, rules):
                found += 1
    for row in range(rules.rows - (rules.wanted - 1)):
        for column in range(rules.columns):
            window = list(board[row:row + rules.wanted, column])
            if fits(window, number, mark, rules):
                found += 1
    for row in range(rules.rows - (rules.wanted - 1)):
        for column in range(rules.columns - (rules.wanted - 1)):
            window = list(board[range(row, row + rules.wanted), range(column, column + rules.wanted)])
            if fits(window, number, mark, rules):
                found += 1
    for row in range(rules.wanted - 1, rules.rows):
        for column in range(rules.columns - (rules.wanted - 1)):
            window = list(board[range(row, row - rules.wanted, -1), range(column, column + rules.wanted)])
            if fits(window, number, mark, rules):
                found += 1
    return found

def worth(board, mark, rules):
    threes, fours = windows(board, 3, mark, rules), windows(board, 4, mark, rules)
    return threes - 100 * windows(board, 3, mark % 2 + 1, rules) + 1e6 * fours

def score(board, column, mark, rules):
    after = moved(board, column, mark, rules)
    return worth(after, mark, rules)
"""
PLAYER = """
def player(seen, rules):
    free = [c for c in range(rules.columns) if seen.board[c] == 0]
    board = np.asarray(seen.board).reshape(rules.rows, rules.columns)
    scores = dict(zip(free, [score(board, column, seen.mark, rules) for column in free]))
    best = [key for key in scores.keys() if scores[key] == max(scores.values())]
    return random.choice(best)
"""
PLAY = """
def compare(one, other, rounds=100):
    rules = {'rows': 6, 'columns': 7, 'wanted': 4}
    outcomes = evaluate('game', [one, other], rules, [], rounds // 2)
    outcomes += [[b, a] for [a, b] in evaluate('game', [other, one], rules, [], rounds - rounds // 2)]
    print(np.round(outcomes.count([1, -1]) / len(outcomes), 2), outcomes.count([None, 0]))
"""


def test_where_everything_holds_everything(tmp_path: Path) -> None:
    head = "import random\nimport numpy as np\nfrom games import make, evaluate"
    run = "game = make('game')\ngame.run([player, 'random'])\ngame.render()"
    cells = [head, HELPERS, PLAYER, run, PLAY, "compare(one=player, other='random')", "result = game.score"]
    notebook = read_notebook(write_notebook(tmp_path / "n.ipynb", [("", cell) for cell in cells]))
    started = time.process_time()
    analysis = analyse(notebook)
    assert time.process_time() - started < 10
    assert "game" in analysis.statements[-1].uses
    # What is too deep to follow does not make names of comprehensions undefined.
    assert not [one for one in analysis.problems if one.code == "undefined-name"]


def test_a_sum_of_hundreds(tmp_path: Path) -> None:
    notebook = read_notebook(write_notebook(tmp_path / "n.ipynb", [("", "a = 1\nx = " + " + ".join(["a"] * 600))]))
    assert analyse(notebook).statements[1].uses == {"a"}
