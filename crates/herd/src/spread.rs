//! What spreads from server to server, and who is there.
