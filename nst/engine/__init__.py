"""The engine: TensorFlow, and nothing of the web, the queue or the store."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow loads: a user asked for a painting, not for its log
