"""DeepLIFT's multipliers: how much an operation gives for what it gets, both less a baseline's."""
