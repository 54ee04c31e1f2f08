"""The faces: what a person or a machine sees of a session, and where a person's answers come from."""
