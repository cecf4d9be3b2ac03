"""Bytes to messages: each decoder is a table of its standard, fed frames and time, and never raises on any bytes."""
