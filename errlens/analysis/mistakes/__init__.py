"""The images that are wrong: ranked, shown one by one, and what to collect because of them."""
