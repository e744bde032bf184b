"""Callbacks of the run that the Studio page shows: start, stop, poll, steer, look back."""
