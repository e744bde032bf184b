"""Picture files: decode and encode, colors, settings inside results, timelapses. NumPy, Pillow and PyAV only."""
