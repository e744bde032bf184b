"""The networks whose activations are compared, the extractors, and where their weights come from."""
