"""Joins bridge, gateway, record and report: the loops that replay a trace or stand in a live line."""
