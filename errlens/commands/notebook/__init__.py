"""How runs and results look in a notebook: as HTML that any of them shows, dark or light."""
