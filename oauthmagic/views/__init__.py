"""Pure functions from values to text, HTML and DataFrames; text first, script never."""
