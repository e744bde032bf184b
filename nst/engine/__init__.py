"""The engine: TensorFlow, and nothing of the web, the queue or the store."""
