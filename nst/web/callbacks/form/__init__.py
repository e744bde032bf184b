"""Callbacks of the form of a run: its pictures, options, presets and forecast."""
