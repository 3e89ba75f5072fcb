"""PostgreSQL and Redis out of wheels on private unix sockets, under one small supervisor (Linux)."""
