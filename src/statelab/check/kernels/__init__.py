"""What the checkers share: order in time, search, the smallest witness, and the words of proofs."""
