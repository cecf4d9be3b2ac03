"""What the fleet's security operations centre runs: it subscribes, verifies, acknowledges and shows."""
