"""Networks that see: extractors of activations, and where their weights come from."""
