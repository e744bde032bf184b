"""What the studio reaches on a machine: `python -m benchmarks.startup`, `.first_frame`, `.speed`, `.memory`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it loads
