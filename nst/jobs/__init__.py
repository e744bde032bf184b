"""Runs in storage and on workers: the store, the queue, the pool of workers. Uses Dask; no TensorFlow."""
