"""What spoils photos, in five severities: noise, blur, weather, and digital faults."""
