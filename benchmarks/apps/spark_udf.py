"""What MLflow's documentation says for Spark: the model as a function of columns.

    python benchmarks/apps/spark_udf.py MODEL IN OUT MASTER

It gives the label only, no probabilities. Prints the seconds without the start of the session.
"""

from __future__ import annotations

import sys
import time

import mlflow.pyfunc
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct


def main(model: str, given: str, out: str, master: str) -> float:
    """Score a file; returns the seconds that it took."""
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    spark = builder.getOrCreate()
    started = time.monotonic()
    table = spark.read.parquet(given)
    predict = mlflow.pyfunc.spark_udf(spark, model, result_type="long", env_manager="local")
    columns = [name for name in table.columns if name != "id"]
    table.withColumn("prediction", predict(struct(*columns))).write.parquet(out)
    seconds = time.monotonic() - started
    spark.stop()
    return seconds


if __name__ == "__main__":
    print(main(*sys.argv[1:5]))
