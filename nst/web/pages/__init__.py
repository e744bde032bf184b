"""The layouts of the pages, one a module, and the frame of pages without Dash."""
