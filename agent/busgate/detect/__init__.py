"""Messages to commands: what a message asks of the vehicle, and whether its sender behaves."""
