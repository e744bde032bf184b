"""Components that show a run: image, curves, status, history, steering, queue."""
