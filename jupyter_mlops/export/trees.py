"""Exact tree ensembles: scikit-learn's fitted trees as one `TreeEnsemble` node (ai.onnx.ml 5).

Thresholds, leaf values and sums stay double. What a tree compares is the caller's business: scikit-learn's own trees
round the features to float32 first (`as_float32`), histogram gradient boosting compares doubles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.export.graph import ML_DOMAIN, Graph, Unsupported

__all__ = ["LEQ", "LESS", "MEMBER", "Tree", "as_float32", "constant_tree", "emit_trees", "leaf_lookup", "sklearn_tree"]

LEQ, LESS, MEMBER = 0, 1, 6  # node modes of ai.onnx.ml 5
LEAF = -1


@dataclass
class Tree:
    """One tree as parallel lists; node 0 is the root. The left branch is taken when the test is true.

    `left[i] < 0` marks a leaf with `value[i]`. `members[i]` holds the values of a membership test.
    """

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    missing_left: list[bool]
    value: list[float]
    mode: list[int]
    members: dict[int, list[float]] = field(default_factory=dict)
    target: int = 0


def constant_tree(value: float, target: int = 0) -> Tree:
    """A tree that is one leaf.

    Put first, it makes an ensemble's sum start from the model's base value, in the order in which scikit-learn adds.
    """
    return Tree([0], [0.0], [LEAF], [LEAF], [False], [value], [LEQ], target=target)


def sklearn_tree(tree: Any, values: Any, target: int = 0) -> Tree:
    """A `sklearn.tree._tree.Tree` with the given leaf values."""
    return Tree(
        feature=tree.feature.tolist(),
        threshold=tree.threshold.tolist(),
        left=tree.children_left.tolist(),
        right=tree.children_right.tolist(),
        missing_left=[bool(flag) for flag in tree.missing_go_to_left.tolist()],
        value=[float(v) for v in values],
        mode=[LEQ] * tree.node_count,
        target=target,
    )


def as_float32(g: Graph, matrix: str) -> str:
    """Round to float32 and back, as scikit-learn's trees do before they compare with double thresholds."""
    return g.cast(g.cast(matrix, "float"), "double")


def emit_trees(g: Graph, matrix: str, trees: list[Tree], targets: int = 1, *, single: bool = False) -> str:
    """The sum of all trees per target, shape [rows, targets]; added in the order given.

    Everything is double, or with `single` everything is float32, input and result included.
    """
    import numpy as np
    from onnx import numpy_helper

    if not trees:
        raise Unsupported("an ensemble without trees")
    number = np.float32 if single else np.float64
    roots: list[int] = []
    modes: list[int] = []
    features: list[int] = []
    splits: list[float] = []
    branches: dict[str, list[int]] = {"true": [], "trueleaf": [], "false": [], "falseleaf": []}
    missing: list[int] = []
    leaf_targets: list[int] = []
    leaf_weights: list[float] = []
    members: list[float] = []

    for tree in trees:
        inner: dict[int, int] = {}
        base = len(modes)
        for node, left in enumerate(tree.left):
            if left >= 0:
                inner[node] = base + len(inner)
        leaves: dict[int, int] = {}

        def leaf(node: int, tree: Tree = tree, leaves: dict[int, int] = leaves) -> int:
            if node not in leaves:
                leaves[node] = len(leaf_weights)
                leaf_targets.append(tree.target)
                leaf_weights.append(tree.value[node])
            return leaves[node]

        roots.append(base)
        if not inner:  # the node type has no tree of a single leaf: both branches lead to it
            inner = {0: base}
        for node in inner:
            is_stub = tree.left[node] < 0
            mode = LEQ if is_stub else tree.mode[node]
            split = 0.0 if is_stub or mode == MEMBER else tree.threshold[node]
            if mode == MEMBER and not tree.members[node]:  # only a missing value goes left; the node type wants a member
                mode, split = LEQ, float("-inf")
            modes.append(mode)
            features.append(0 if is_stub else tree.feature[node])
            splits.append(split)
            missing.append(int(not is_stub and tree.missing_left[node]))
            if mode == MEMBER:
                members.extend([*tree.members[node], float("nan")])
            for side, child in (("true", tree.left[node]), ("false", tree.right[node])):
                child = node if is_stub else child
                is_leaf = tree.left[child] < 0
                branches[side].append(leaf(child) if is_leaf else inner[child])
                branches[side + "leaf"].append(int(is_leaf))

    def tensor(values: list[Any], dtype: Any) -> Any:
        return numpy_helper.from_array(np.asarray(values, dtype=dtype))

    extra = {"membership_values": tensor(members, number)} if members else {}
    return g.op(
        "TreeEnsemble",
        matrix,
        domain=ML_DOMAIN,
        n_targets=targets,
        aggregate_function=1,
        post_transform=0,
        tree_roots=roots,
        nodes_modes=tensor(modes, np.uint8),
        nodes_featureids=features,
        nodes_splits=tensor(splits, number),
        nodes_truenodeids=branches["true"],
        nodes_trueleafs=branches["trueleaf"],
        nodes_falsenodeids=branches["false"],
        nodes_falseleafs=branches["falseleaf"],
        nodes_missing_value_tracks_true=missing,
        leaf_targetids=leaf_targets,
        leaf_weights=tensor(leaf_weights, number),
        **extra,
    )


def leaf_lookup(g: Graph, matrix: str, trees: list[Any], tables: list[Any], features: list[Any] | None = None) -> str:
    """The sum over trees of a row of numbers per leaf, [rows, width]: class shares, votes.

    A leaf of the ONNX node holds one number, so each tree yields its leaf's position and the rows are looked up. CumSum
    adds one tree after the other, as scikit-learn does: an exact tie between two classes stays one.

    Parameters
    ----------
    trees
        `sklearn.tree._tree.Tree` objects.
    tables
        Per tree, one row of numbers for each of its nodes.
    features
        Per tree, which columns of the matrix it was given, where it did not get all.
    """
    import numpy as np

    numbered, offset = [], 0
    for target, tree in enumerate(trees):
        one = sklearn_tree(tree, np.arange(offset, offset + tree.node_count), target)
        if features is not None:
            one.feature = [int(features[target][f]) if f >= 0 else 0 for f in one.feature]
        numbered.append(one)
        offset += tree.node_count
    leaf = g.cast(emit_trees(g, matrix, numbered, targets=len(trees)), "int64")
    rows = g.op("Gather", g.const(np.vstack(tables)), leaf, axis=0)  # [rows, trees, width]
    if len(trees) == 1:
        return g.op("Squeeze", rows, g.ints(1))
    total = g.op("CumSum", rows, g.const(np.array(1, dtype=np.int64)))
    return g.op("Gather", total, g.const(np.array(len(trees) - 1, dtype=np.int64)), axis=1)
