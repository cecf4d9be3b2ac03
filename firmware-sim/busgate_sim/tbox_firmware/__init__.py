"""The simulated T-box: its link to the vendor's cloud, and what it says on the vehicle's bus."""
