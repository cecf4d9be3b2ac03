"""The gate between a bus and its telematics unit.

The folder listing is the pipeline; docs/architecture.md walks one frame through it.
"""
