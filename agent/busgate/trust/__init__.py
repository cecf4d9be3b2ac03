"""The floor: signed notes and keys."""
