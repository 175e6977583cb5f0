"""The top floor: what people and programs talk to."""
