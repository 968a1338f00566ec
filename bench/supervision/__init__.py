"""How supervisors start, replace and keep workers, measured side by side in one run."""
