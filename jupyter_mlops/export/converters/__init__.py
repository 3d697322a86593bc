"""Converters of fitted estimators, by family. `jupyter_mlops.export.compiler` says how to add one."""
