"""The layouts of the pages: Studio, Instant and Gallery, one a module, and the frame of pages without Dash."""
