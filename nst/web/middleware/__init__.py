"""ASGI middleware, one a module: what handles a request before its route does."""
