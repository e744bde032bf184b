"""Functions that return Dash components, figures, and the properties that callbacks set on them."""
