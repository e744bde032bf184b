"""The engine: networks, losses and optimizers in TensorFlow. It imports nothing of the web, the queue or the store."""
