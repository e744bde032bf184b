"""Small programs around the project; nothing in nst needs them."""
