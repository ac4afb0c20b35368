"""The HTTP edge, one ASGI application: decode, ask who it is, call one action, answer."""
