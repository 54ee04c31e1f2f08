"""Answers of the rules, one file for each command that is answered in the conversation: short, with numbers and row ids."""
