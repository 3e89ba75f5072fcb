"""The blob store: uploads and results as content-addressed files."""
