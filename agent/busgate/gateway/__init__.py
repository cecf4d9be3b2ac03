"""Decode, detect, judge joined: the whole gateway without its sockets."""

from busgate.gateway.gate import Gateway

__all__ = ["Gateway"]
