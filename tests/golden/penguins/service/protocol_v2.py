"""The Open Inference Protocol, version 2 (KServe, Triton, MLServer): one tensor for each column.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.types import Scope

from service.endpoint import Endpoint
from service.errors import Problem, RequestError, plain
from service.openapi import operation, ref
from service.rows import convert_rows, parse_json
from service.schemas import FIELDS
from service.state import State

DATATYPES = {"float": "FP64", "integer": "INT64", "boolean": "BOOL"}  # all others: BYTES
_WHOLE = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
# Datatypes that a column of a kind takes.
ACCEPTED = {
    "FP64": {"FP16", "FP32", "FP64", *_WHOLE},
    "INT64": set(_WHOLE),
    "BOOL": {"BOOL"},
    "BYTES": {"BYTES"},
}


class TensorInfo(Struct):
    """Name, type and shape of a tensor; -1 is the number of rows."""

    name: str
    datatype: str
    shape: list[int]


class Tensor(Struct, omit_defaults=True):
    """Values in row-major order, flat or nested as the shape says; null is a missing value."""

    name: str
    shape: list[Annotated[int, Meta(ge=0)]]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] | UnsetType = UNSET


class WantedOutput(Struct):
    """An output that the answer shall have."""

    name: str
    parameters: dict[str, Any] | UnsetType = UNSET


class InferRequest(Struct):
    """Rows by column."""

    inputs: list[Tensor]
    id: str | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    outputs: list[WantedOutput] | UnsetType = UNSET


class InferResponse(Struct):
    """Predictions as tensors."""

    model_name: str
    model_version: str
    outputs: list[Tensor]
    id: str | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET


class ModelMetadata(Struct):
    """The model's tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorInfo]
    outputs: list[TensorInfo]


class ServerMetadata(Struct):
    """The server."""

    name: str
    version: str
    extensions: list[str]


class ModelReady(Struct):
    """Whether the model answers."""

    name: str
    ready: bool


class InferError(Struct):
    """Why a request is refused."""

    error: str


def model_metadata(state: State) -> ModelMetadata:
    """Inputs and outputs of the model."""
    columns = state.artifacts.signature["raw"]["inputs"]
    output = state.artifacts.output
    kind = {"f": "FP64", "i": "INT64", "u": "INT64", "b": "BOOL"}.get(output["dtype"][0], "BYTES")
    outputs = [TensorInfo("prediction", kind, [-1])]
    if output["probabilities"]:
        outputs.append(TensorInfo("probabilities", "FP64", [-1, len(output["classes"])]))
    engine = state.artifacts.metadata["engine"]
    return ModelMetadata(
        name=state.artifacts.name,
        versions=[state.artifacts.version],
        platform="onnx_onnxv1" if engine == "onnx" else "sklearn_skops",
        inputs=[TensorInfo(c["name"], DATATYPES.get(c["kind"], "BYTES"), [-1]) for c in columns],
        outputs=outputs,
    )


def infer_endpoint(state: State) -> Endpoint:
    """The endpoint of ``POST /v2/models/<name>/infer``."""
    metadata = model_metadata(state)
    wanted = {info.name: info for info in metadata.inputs}
    given_outputs = {info.name: info for info in metadata.outputs}

    async def handle(scope: Scope, body: bytes) -> bytes:
        data = parse_json(body)
        try:
            request = msgspec.convert(data, InferRequest)
        except (msgspec.ValidationError, RecursionError) as error:
            raise RequestError(422, Problem((), str(error), "value_error")) from None
        names = list(given_outputs)
        if request.outputs:
            names = [output.name for output in request.outputs]
            for name in names:
                if name not in given_outputs:
                    raise _refused(f"the model has no output {name!r}", "outputs")
        outputs, named = await state.predict(scope, _rows(request.inputs, wanted))
        if named is not UNSET:
            scope["request_id"] = named  # `id` is what the client calls it, unique or not
        values: dict[str, list[Any]] = {
            "prediction": outputs.labels,
            "probabilities": [p for row in outputs.probabilities or () for p in row],
        }
        rows = len(outputs.labels)
        return msgspec.json.encode(
            InferResponse(
                model_name=metadata.name,
                model_version=metadata.versions[0],
                id=request.id,
                outputs=[
                    Tensor(
                        name,
                        [rows, *given_outputs[name].shape[1:]],
                        given_outputs[name].datatype,
                        values[name],
                    )
                    for name in names
                ],
            )
        )

    rows = state.artifacts.example(2)
    example = {
        "id": "1",
        "inputs": [
            {
                "name": info.name,
                "shape": [len(rows)],
                "datatype": info.datatype,
                "data": [row.get(info.name) for row in rows],
            }
            for info in metadata.inputs
        ],
    }
    described = operation(
        "Predict, by the Open Inference Protocol",
        "One tensor for each column, of shape [rows] or [rows, 1].",
        request={"application/json": (ref(InferRequest), {"two rows": example})},
        response=ref(InferResponse),
        error=ref(InferError),
        tag="Open Inference Protocol v2",
    )
    return Endpoint(state, "infer", handle, described, _encode_error)


def v2_router(state: State) -> APIRouter:
    """The protocol's routes that are no predictions."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol v2"])
    metadata = model_metadata(state)
    server = ServerMetadata("jupyter-mlops", state.artifacts.metadata["version"], [])

    def known(name: str, version: str | None, answer: Callable[[], Response]) -> Response:
        if name != metadata.name:
            return _json(InferError(f"there is no model {name!r}"), 404)
        if version is not None and version not in metadata.versions:
            return _json(InferError(f"the model has no version {version!r}"), 404)
        return answer()

    def ready() -> Response:
        return _json(ModelReady(metadata.name, state.ready), 200 if state.ready else 503)

    @router.get("", summary="The server")
    async def server_metadata() -> Response:
        return _json(server)

    @router.get("/health/live", summary="The server runs")
    async def live() -> Response:
        return _json({"live": True})

    @router.get("/health/ready", summary="The server takes requests")
    async def server_ready() -> Response:
        return _json({"ready": state.ready}, 200 if state.ready else 503)

    @router.get("/models/{name}", summary="The model's tensors")
    @router.get("/models/{name}/versions/{version}", summary="The tensors of a version")
    async def model(name: str, version: str | None = None) -> Response:
        return known(name, version, lambda: _json(metadata))

    @router.get("/models/{name}/ready", summary="The model takes requests")
    @router.get("/models/{name}/versions/{version}/ready", summary="A version takes requests")
    async def model_ready(name: str, version: str | None = None) -> Response:
        return known(name, version, ready)

    @router.post("/models/{name}/infer", include_in_schema=False)
    @router.post("/models/{name}/versions/{version}/infer", include_in_schema=False)
    async def unknown(name: str, version: str | None = None) -> Response:
        return known(name, version, lambda: Response(status_code=404))

    return router


def _rows(tensors: list[Tensor], wanted: dict[str, TensorInfo]) -> list[Any]:
    """Tensors as checked rows."""
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        if tensor.name not in wanted:
            raise _refused("the model has no such input", tensor.name)
        if tensor.name in columns:
            raise _refused("the input is given twice", tensor.name)
        datatype = wanted[tensor.name].datatype
        if tensor.datatype not in ACCEPTED[datatype]:
            raise _refused(f"the datatype is {datatype}, not {tensor.datatype}", tensor.name)
        if len(tensor.shape) not in (1, 2) or tensor.shape[1:] not in ([], [1]):
            raise _refused(
                f"the shape must be [rows] or [rows, 1], not {tensor.shape}", tensor.name
            )
        values = _flat(tensor.data)
        if len(values) != math.prod(tensor.shape):
            why = f"{len(values)} values do not fill the shape {tensor.shape}"
            raise _refused(why, tensor.name)
        columns[tensor.name] = values
    for name, field in FIELDS.items():
        if field.required and name not in columns:
            raise _refused("the input is missing", name)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise _refused(f"the inputs differ in their number of rows: {sorted(lengths)}", "shape")
    count = lengths.pop() if lengths else 0
    return convert_rows([{name: v[n] for name, v in columns.items()} for n in range(count)])


def _flat(data: list[Any]) -> list[Any]:
    """Values of one column, given flat or as rows of one value."""
    return [one[0] if isinstance(one, list) and len(one) == 1 else one for one in data]


def _refused(why: str, where: str) -> RequestError:
    return RequestError(422, Problem((where,), why, "value_error"))


def _encode_error(error: RequestError) -> bytes:
    """The error as the protocol wants it: one text."""
    texts = []
    for problem in error.problems[:10]:
        match problem.loc:
            case (int(row), str(column), *_):
                texts.append(f"{column}[{row}]: {problem.msg}")
            case ():
                texts.append(problem.msg)
            case loc:
                texts.append(f"{'.'.join(map(str, loc))}: {problem.msg}")
    return msgspec.json.encode(InferError(plain("; ".join(texts))))


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
