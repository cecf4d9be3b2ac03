"""Many light buses in one process, each with a real gateway, log and uplink."""
