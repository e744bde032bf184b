"""The pages and the REST interface: Dash inside a FastAPI application. Does not import TensorFlow."""
