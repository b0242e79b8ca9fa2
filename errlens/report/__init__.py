"""A run as pages and files that others read: HTML, Markdown, JUnit."""
