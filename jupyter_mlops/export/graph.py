"""A small builder of ONNX graphs: every operation returns the name of its result.

Equal constants and equal operations are kept once, so that converters can be written plainly: asking twice for the same
matrix costs nothing at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ML_DOMAIN", "ML_OPSET", "OPSET", "Graph", "Unsupported"]

OPSET = 19  # LabelEncoder and TreeEnsemble come from the ml domain; 19 is what Equal on strings needs
ML_DOMAIN = "ai.onnx.ml"
ML_OPSET = 5  # the first with TreeEnsemble: double thresholds, double sums, set membership
IR_VERSION = 9


class Unsupported(Exception):
    """This estimator, or this setting of it, has no exact counterpart in ONNX. The message names it."""


class Graph:
    """Nodes and constants of one ONNX graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.domains: dict[str, int] = {"": OPSET, ML_DOMAIN: ML_OPSET}
        self._known: dict[Any, Any] = {}
        self._count = 0

    def name(self, hint: str) -> str:
        """A name that no other value of the graph has."""
        self._count += 1
        return f"v/{hint}_{self._count}"  # no column is called like this

    def input(self, name: str, elem_type: str, width: int) -> str:
        """Declare a graph input of shape [rows, width]; `elem_type` is "double", "int64", "bool" or "string"."""
        from onnx import TensorProto, helper

        self.inputs.append(helper.make_tensor_value_info(name, getattr(TensorProto, elem_type.upper()), [None, width]))
        return name

    def const(self, value: Any, dtype: Any = None) -> str:
        """A constant tensor; Python and numpy strings become a string tensor."""
        import numpy as np
        from onnx import numpy_helper

        array = np.asarray(value, dtype=dtype)
        if array.dtype.kind in "UO":
            array = array.astype(object)
            key: Any = ("const", "string", array.shape, tuple(array.ravel().tolist()))
        else:
            key = ("const", array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            name = self.name("c")
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
            self._known[key] = name
        found: str = self._known[key]
        return found

    def number(self, value: float) -> str:
        """A double constant that broadcasts over a matrix."""
        import numpy as np

        return self.const(np.array(value, dtype=np.float64))

    def row(self, values: Any) -> str:
        """A double constant of shape [1, n]: one value per column."""
        import numpy as np

        return self.const(np.asarray(values, dtype=np.float64).reshape(1, -1))

    def ints(self, *values: int) -> str:
        """A constant int64 vector, for axes, shapes and indices."""
        import numpy as np

        return self.const(np.array(values, dtype=np.int64))

    def op(self, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.ops(op_type, *inputs, outputs=1, domain=domain, **attributes)[0]

    def ops(self, op_type: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> tuple[str, ...]:
        """Add a node with several outputs."""
        from onnx import helper

        plain = all(isinstance(v, (int, float, str)) for v in attributes.values())
        key = (op_type, inputs, outputs, domain, tuple(sorted(attributes.items()))) if plain else None
        if key is not None and key in self._known:
            kept: tuple[str, ...] = self._known[key]
            return kept
        names = tuple(self.name(op_type.lower()) for _ in range(outputs))
        self.nodes.append(helper.make_node(op_type, list(inputs), list(names), domain=domain, **attributes))
        if domain and domain not in self.domains:
            self.domains[domain] = 1
        if key is not None:
            self._known[key] = names
        return names

    # Shorthands that most converters need

    def cast(self, tensor: str, to: str) -> str:
        """Cast to "double", "float", "int64", "bool" or "string"."""
        from onnx import TensorProto

        return self.op("Cast", tensor, to=int(getattr(TensorProto, to.upper())))

    def concat(self, tensors: list[str]) -> str:
        """Put matrices side by side."""
        return tensors[0] if len(tensors) == 1 else self.op("Concat", *tensors, axis=1)

    def columns(self, tensor: str, indices: list[int]) -> str:
        """Pick columns of a matrix."""
        return self.op("Gather", tensor, self.ints(*indices), axis=1)

    def sum(self, tensor: str, axis: int = 1, keepdims: int = 1) -> str:
        """Sum over an axis."""
        return self.op("ReduceSum", tensor, self.ints(axis), keepdims=keepdims)

    def argmax(self, tensor: str) -> str:
        """Index of the first largest value of each row, as numpy does it; shape [rows]."""
        return self.op("ArgMax", tensor, axis=1, keepdims=0)

    def flat(self, tensor: str) -> str:
        """A matrix of one column as a vector."""
        return self.op("Reshape", tensor, self.ints(-1))

    def as_column(self, tensor: str) -> str:
        """A vector as a matrix of one column."""
        return self.op("Reshape", tensor, self.ints(-1, 1))

    def linear(self, matrix: str, weights: np.ndarray, bias: Any = None) -> str:
        """matrix @ weights + bias; weights are [features, outputs]."""
        import numpy as np

        out = self.op("MatMul", matrix, self.const(np.asarray(weights, dtype=np.float64)))
        return out if bias is None else self.op("Add", out, self.row(bias))

    def model(self, outputs: dict[str, tuple[str, str, int | None]], metadata: dict[str, str]) -> bytes:
        """The serialised model; `outputs` maps an output's name to (tensor, element type, columns or None)."""
        from onnx import TensorProto, checker, helper

        infos = []
        for name, (tensor, elem_type, width) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [tensor], [name]))
            shape = [None] if width is None else [None, width]
            infos.append(helper.make_tensor_value_info(name, getattr(TensorProto, elem_type.upper()), shape))
        used = {name for node in self.nodes for name in node.input}
        graph = helper.make_graph(
            self.nodes, "model", self.inputs, infos, initializer=[c for c in self.constants if c.name in used]
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in self.domains.items()],
            ir_version=IR_VERSION,
            producer_name="jupyter-mlops",
        )
        helper.set_model_props(model, metadata)
        checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data
