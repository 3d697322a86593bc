"""Runs, lineage and the registry, through MLflow's client."""
