"""ASGI middleware, one a module: what handles a request before its route does; and the limits of connections."""
