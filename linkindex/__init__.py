"""What links to what. This floor knows no crawler: it reads and writes the link index."""
