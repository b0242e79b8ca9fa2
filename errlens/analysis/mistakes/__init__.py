"""The images that are wrong: ranked, told one by one, and what to collect because of them."""
