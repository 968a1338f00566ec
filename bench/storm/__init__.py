"""Which requests are lost when workers change: counted one by one, each loss with who is to answer for it."""
