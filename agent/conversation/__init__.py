"""Talk: what a person types becomes a command, an answer, or a typed proposal that goes to review; nothing here approves."""
