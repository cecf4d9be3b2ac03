"""Events to the signed log: entries, the Merkle tree over them, signed checkpoints, the store."""
