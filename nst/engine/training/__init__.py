"""The trainings: of fast styles, and of the built-in extractor."""
