"""The atlas of a run as one page: its maps, to be walked over."""
