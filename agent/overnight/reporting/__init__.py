"""The morning report of a night: facts from its record, said as Markdown, as one HTML file, and on the screen."""
