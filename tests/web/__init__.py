"""Webs to crawl: one that misbehaves in every known way, one of real pages. Both are child processes on 127.0.0.1."""
