"""The vendor's cloud as software: its wire formats, its platform, and a server that runs it alone."""
