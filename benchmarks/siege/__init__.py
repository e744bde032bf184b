"""Robustness of a studio under attack: see `__main__.py`."""
