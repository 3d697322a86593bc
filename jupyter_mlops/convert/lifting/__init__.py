"""Lifting: what the notebook's preparation learned from the data becomes named, fitted state that serving replays."""
