"""The plotly.js that the pages load: only with the traces that they draw, where Dash would load the whole.

tools/plotly makes the file. Its name has its version, so that browsers may keep it.
"""

PLOTLY_URL = "/assets/plotly/plotly-4.1.1.min.js"

# The page loads it beside the scripts of Dash, which loads it only if it is not there yet when a figure is drawn.
# Dash tells `dcc.Graph` in this variable what to load. The page cannot set it later than Dash, so it is fixed before.
PLOTLY_SCRIPT = f'Object.defineProperty(window, "_dashPlotlyJSURL", {{ get: () => "{PLOTLY_URL}", set: () => {{}} }});'
