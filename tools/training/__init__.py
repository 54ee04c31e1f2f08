"""The detached training worker and the light modules that the rest of the program may ask about it.

base_models, check and estimate import nothing heavy. Everything that touches torch runs in `python -m tools.training.worker`.
"""
