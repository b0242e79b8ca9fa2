"""The page of a run served to one browser on this machine: pictures on demand, marks kept."""
