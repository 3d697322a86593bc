"""XGBoost and LightGBM, from the trees that the libraries themselves write out.

XGBoost compares and adds in float32, LightGBM in double: each is repeated in its own precision and order.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_mlops.export.compiler import Classified, Compiler, classifies, regresses
from jupyter_mlops.export.converters.encoders import lookup
from jupyter_mlops.export.converters.linear import binary_probabilities, softmax
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.trees import LEQ, LESS, MEMBER, Tree, constant_tree, emit_trees
from jupyter_mlops.export.values import Part, Value

__all__: list[str] = []

_SAME = {"reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror", "reg:quantileerror"}
_EXP = {"count:poisson", "reg:gamma", "reg:tweedie"}


def _numbers(text: Any) -> list[float]:
    """A base score: "0.5", "[0.5]" or "[0.1,0.2]", by release."""
    found = json.loads(text) if isinstance(text, str) else text
    return [float(v) for v in found] if isinstance(found, list) else [float(found)]


def _xgboost_tree(model: dict[str, Any], target: int) -> Tree:
    if any(model.get("split_type", ())) and model.get("categories_nodes"):
        raise Unsupported("XGBoost's own categorical splits")
    left = model["left_children"]
    return Tree(
        feature=model["split_indices"],
        threshold=model["split_conditions"],
        left=left,
        right=model["right_children"],
        missing_left=[bool(flag) for flag in model["default_left"]],
        value=model["split_conditions"],  # leaves keep their value where the others keep the threshold
        mode=[LESS] * len(left),
        target=target,
    )


def _xgboost(c: Compiler, est: Any, x: Value) -> tuple[str, str, int]:
    """Raw score in float32, objective, number of groups."""
    import numpy as np

    g = c.graph
    missing = est.missing
    if missing is not None and not np.isnan(missing):
        raise Unsupported(f"missing={missing!r}")
    learner = json.loads(bytes(est.get_booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise Unsupported(f"booster={booster['name']!r}")
    objective = learner["objective"]["name"]
    groups = max(1, int(learner["learner_model_param"]["num_class"]))
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        raise Unsupported("more than one target")
    model = booster["model"]
    used = len(model["trees"])
    best = getattr(est, "best_iteration", None) if getattr(est, "early_stopping_rounds", None) else None
    if best is not None:
        used = int(model["iteration_indptr"][int(best) + 1])
    base = np.asarray(_numbers(learner["learner_model_param"]["base_score"]), dtype=np.float32)
    if objective in {"binary:logistic", "reg:logistic"}:
        base = -np.log(np.float32(1.0) / base - np.float32(1.0))
    elif objective in _EXP:
        base = np.log(base)
    base = np.broadcast_to(base, (groups,))
    trees = [constant_tree(float(base[k]), k) for k in range(groups)]
    for tree, group in zip(model["trees"][:used], model["tree_info"][:used], strict=True):
        trees.append(_xgboost_tree(tree, int(group)))
    rounded = g.cast(x.values(g), "float")
    return emit_trees(g, rounded, trees, targets=groups, single=True), objective, groups


@classifies("xgboost.XGBClassifier", "xgboost.XGBRFClassifier")
def xgboost_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Sigmoid or softmax of the raw score."""
    g = c.graph
    raw, objective, groups = _xgboost(c, est, x)
    if objective == "binary:logistic":
        # in double, then rounded: the nearest float32, which the library's own expf misses by one digit at most
        chance = g.cast(g.op("Sigmoid", g.cast(raw, "double")), "float")
        both = g.op("Sub", g.cast(g.number(1.0), "float"), chance)
        above = g.op("Greater", chance, g.cast(g.number(0.5), "float"))
        shares = g.concat([g.cast(both, "double"), g.cast(chance, "double")])
        return Classified(g.cast(g.flat(above), "int64"), shares)
    if objective in {"multi:softprob", "multi:softmax"} and groups > 1:
        shares = g.cast(g.cast(softmax(g, g.cast(raw, "double")), "float"), "double")
        return Classified(g.argmax(raw), shares)
    raise Unsupported(f"objective={objective!r}")


@regresses("xgboost.XGBRegressor", "xgboost.XGBRFRegressor")
def xgboost_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The inverse link of the raw score."""
    g = c.graph
    raw, objective, _ = _xgboost(c, est, x)
    double = g.cast(raw, "double")
    if objective in _SAME:
        return double
    if objective in _EXP:
        return g.op("Exp", double)
    if objective in {"reg:logistic", "binary:logistic"}:
        return g.op("Sigmoid", double)
    raise Unsupported(f"objective={objective!r}")


def _lightgbm_tree(root: dict[str, Any], target: int) -> Tree:
    tree = Tree([], [], [], [], [], [], [], target=target)

    def visit(node: dict[str, Any]) -> int:
        at = len(tree.left)
        for values, value in (
            (tree.feature, 0),
            (tree.threshold, 0.0),
            (tree.left, -1),
            (tree.right, -1),
            (tree.missing_left, False),
            (tree.value, 0.0),
            (tree.mode, LEQ),
        ):
            values.append(value)  # type: ignore[arg-type]
        if "split_feature" not in node:
            tree.value[at] = float(node["leaf_value"])
            return at
        tree.feature[at] = int(node["split_feature"])
        if node["decision_type"] == "==":
            tree.mode[at] = MEMBER
            tree.members[at] = [float(v) for v in str(node["threshold"]).split("||")]
        else:
            tree.threshold[at] = float(node["threshold"])
            if node["missing_type"] == "Zero":
                raise Unsupported("zero_as_missing")
            # without missing values in training, LightGBM reads a missing one as 0
            absent = tree.threshold[at] >= 0.0
            tree.missing_left[at] = bool(node["default_left"]) if node["missing_type"] == "NaN" else absent
        tree.left[at] = visit(node["left_child"])
        tree.right[at] = visit(node["right_child"])
        return at

    visit(root)
    return tree


def _lightgbm_input(c: Compiler, booster: Any, x: Value) -> str:
    """Columns of pandas dtype category become the codes that LightGBM remembered."""
    g = c.graph
    levels = booster.pandas_categorical or []
    columns = _category_positions(booster)
    if not levels:
        return _whole_categories(g, x.values(g), x.width, columns)
    if len(columns) != len(levels):
        raise Unsupported("categorical features that are not pandas categories")
    parts = []
    for index in range(x.width):
        part = x.column(g, index)
        if index in columns:
            names = levels[columns.index(index)]
            if any(isinstance(name, str) != (part.kind == "string") for name in names):
                raise Unsupported("categories of another type than the column")
            keys = {(name if isinstance(name, str) else float(name)): float(at) for at, name in enumerate(names)}
            part = Part(lookup(c, part, keys, float("nan"), integer=False), 1)
        parts.append(part)
    return Value(tuple(parts)).values(g)


def _whole_categories(g: Graph, matrix: str, width: int, columns: list[int]) -> str:
    """Categories given as numbers lose their fraction first, as LightGBM casts them to int."""
    if not columns:
        return matrix
    whole = g.op("Mul", g.op("Sign", matrix), g.op("Floor", g.op("Abs", matrix)))
    return g.op("Where", g.const([[at in columns for at in range(width)]]), whole, matrix)


def _category_positions(booster: Any) -> list[int]:
    """Which features are categorical: the model text lists their category codes as "0:1:2"."""
    for line in booster.model_to_string(num_iteration=1).splitlines():
        if line.startswith("feature_infos="):
            infos = line.partition("=")[2].split(" ")
            return [at for at, info in enumerate(infos) if info != "none" and not info.startswith("[")]
    return []


def _lightgbm(c: Compiler, est: Any, x: Value) -> tuple[str, str, int, Any]:
    """Raw score in double, objective, number of groups, and the model's description."""
    g = c.graph
    booster = est.booster_
    if est.boosting_type not in {"gbdt", "goss"}:
        raise Unsupported(f"boosting_type={est.boosting_type!r}")
    if est.get_params().get("linear_tree") or "linear_tree: 1" in booster.model_to_string(num_iteration=1):
        raise Unsupported("linear_tree=True")
    best = est.best_iteration_ if getattr(est, "best_iteration_", 0) else None
    model = booster.dump_model(num_iteration=best if best and best > 0 else -1)
    groups = int(model["num_tree_per_iteration"])
    trees = [_lightgbm_tree(one["tree_structure"], at % groups) for at, one in enumerate(model["tree_info"])]
    raw = emit_trees(g, _lightgbm_input(c, booster, x), trees, targets=groups)
    if "objective" not in model:
        raise Unsupported("an objective of the notebook's own")
    return raw, str(model["objective"]), groups, model


def _setting(objective: str, name: str, default: float) -> float:
    for word in objective.split(" ")[1:]:
        key, _, value = word.partition(":")
        if key == name:
            return float(value)
    return default


@classifies("lightgbm.LGBMClassifier")
def lightgbm_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Sigmoid or softmax of the raw score; the larger probability wins."""
    g = c.graph
    raw, objective, _, _ = _lightgbm(c, est, x)
    kind = objective.split(" ")[0]
    if kind == "binary":
        chance = g.op("Sigmoid", g.op("Mul", raw, g.number(_setting(objective, "sigmoid", 1.0))))
        shares = binary_probabilities(g, chance)
    elif kind == "multiclass":
        shares = softmax(g, raw)
    else:
        raise Unsupported(f"objective={objective!r}")
    return Classified(g.argmax(shares), shares)


@regresses("lightgbm.LGBMRegressor")
def lightgbm_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The inverse link of the raw score."""
    g = c.graph
    raw, objective, _, _ = _lightgbm(c, est, x)
    words = objective.split(" ")
    if "sqrt" in words:
        raise Unsupported("reg_sqrt")
    if words[0] in {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}:
        return raw
    if words[0] in {"poisson", "gamma", "tweedie"}:
        return g.op("Exp", raw)
    raise Unsupported(f"objective={objective!r}")
