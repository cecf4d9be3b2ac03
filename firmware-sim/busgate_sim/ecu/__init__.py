"""The simulated vehicle's control units: what they say, whom they obey, how they are diagnosed."""
