"""The screens beside the chat: training, errors, samples, versions, references."""
