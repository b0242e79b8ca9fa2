"""Whether a patch pasted into images raises a class by more than other patches do."""
