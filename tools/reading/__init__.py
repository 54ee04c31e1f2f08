"""Reading a task folder: definition, configuration, rows. Tolerant of odd shapes, exact about what is wrong; never writing."""

from __future__ import annotations
