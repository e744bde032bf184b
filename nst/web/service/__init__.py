"""What the page and the REST interface both ask for."""
