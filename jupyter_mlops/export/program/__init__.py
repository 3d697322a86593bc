"""The feature program as ONNX: `build_features` is walked statement by statement, on columns that are graph values.

`interpret` walks the code, `registry` is the table of operations, and the other modules are what the operations do. To
add one, see `registry`. Whatever is not known to be exact is refused with the operation as the notebook wrote it.
"""
