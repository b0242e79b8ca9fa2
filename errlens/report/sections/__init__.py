"""What each section of the page says, a file a section; its template has the same name."""
