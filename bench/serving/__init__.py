"""What bench/http is made of: servers, their settings, the load, tables."""
