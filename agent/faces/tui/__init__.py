"""The full-screen chat: the only part of the program that imports Textual."""
