"""What runs in a worker process. The pool names these functions as text, so no other process imports TensorFlow."""
