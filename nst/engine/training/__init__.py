"""Training of fast styles on crops of photos."""
