"""What browsers and programs talk to over HTTP."""
