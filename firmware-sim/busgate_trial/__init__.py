"""The desk where the simulated bus meets the gate: scenarios played with it and without, scored, shown.

The only place that sees both; neither sees it.
"""
