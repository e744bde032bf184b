"""ASGI middleware: what each request passes through before it reaches a route."""
