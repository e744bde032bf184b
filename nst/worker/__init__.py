"""What runs inside a worker process. Jobs name these functions as text, so no other process imports TensorFlow."""
