"""Picture files: decode and encode, colors, provenance in the file, timelapses. NumPy, Pillow and PyAV only."""
