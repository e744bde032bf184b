"""The page and the REST interface: Dash attached to FastAPI. No TensorFlow."""
