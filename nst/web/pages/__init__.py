"""The pages, one a file: a layout and the callbacks that bring it to life."""
