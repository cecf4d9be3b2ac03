"""Commands to verdicts: the operator's policy, what the vehicle is doing, and the decision."""
