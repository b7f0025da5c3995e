"""The doors of a notebook; only here are IPython, ipywidgets and traitlets known."""
