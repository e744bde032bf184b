"""Components of the form of a run: pictures, options, presets, forecast, network."""
