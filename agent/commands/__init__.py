"""The commands of the command line, by what they are for: looking, improving, versions, setting up."""
