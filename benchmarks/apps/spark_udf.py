"""What MLflow's documentation says for Spark: the model as a function of columns.

    python benchmarks/apps/spark_udf.py MODEL IN OUT MASTER

A model with a signature gives all that it says; without one, the label. Prints the seconds, without the start of the session and of
a first task.
"""

from __future__ import annotations

import sys
import time

import mlflow.pyfunc
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, struct


def main(model: str, given: str, out: str, master: str) -> float:
    """Score a file; returns the seconds that it took."""
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    spark = builder.getOrCreate()
    spark.range(2).mapInArrow(lambda batches: batches, "id long").count()
    started = time.monotonic()
    table = spark.read.parquet(given)
    signature = mlflow.pyfunc.load_model(model).metadata.signature
    if signature is None:
        predict = mlflow.pyfunc.spark_udf(spark, model, result_type="long", env_manager="local")
        columns = [col(name) for name in table.columns if name != "id"]
        scored = table.withColumn("prediction", predict(struct(*columns)))
    else:
        predict = mlflow.pyfunc.spark_udf(spark, model, env_manager="local")
        columns = [col(one.name).cast(one.type.name).alias(one.name) for one in signature.inputs]
        scored = table.withColumn("scored", predict(struct(*columns))).select(*table.columns, "scored.*")
    scored.write.parquet(out)
    seconds = time.monotonic() - started
    spark.stop()
    return seconds


if __name__ == "__main__":
    print(main(*sys.argv[1:5]))
