"""Functions that return Dash components and figures."""
