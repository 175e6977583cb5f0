"""The proof that nothing is lost and that the crawl is polite as one: a nemesis, a site that watches, verdicts."""
