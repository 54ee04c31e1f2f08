"""The brain and its faces: the graph of steps, approval, sessions, commands and screens."""
