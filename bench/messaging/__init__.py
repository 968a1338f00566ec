"""What bench/hub measures, of whom, and how it is written down."""
