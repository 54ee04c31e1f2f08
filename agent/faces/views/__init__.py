"""Views: typed facts to lines of text; nothing here reads a file or asks a question."""
