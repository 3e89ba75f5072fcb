"""What people and programs touch: the HTTP API, the command line, the web page."""
