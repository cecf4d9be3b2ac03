"""Where units enter and leave: the only room that touches a wire or a capture."""
