"""Diagnostics of the simulated control units: UDS (ISO 14229-1:2013) from the standard's text."""
