"""The engines that run an answering model, behind the one protocol `qa.generator.Generator`."""

from qa.engines.choosing import ENGINES, load_generator

__all__ = ["ENGINES", "load_generator"]
