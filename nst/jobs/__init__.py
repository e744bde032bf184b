"""Jobs: what a run is, where it is kept, how it reaches a worker. Standard library and Dask; no TensorFlow."""
