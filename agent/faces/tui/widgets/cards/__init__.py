"""Cards: the questions that only a person may answer, each with its evidence, its choices and a guard against slips."""
