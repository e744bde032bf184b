"""The worker processes, reached over Dask: what they are given, in which order, and what they report."""
