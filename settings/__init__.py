"""Declarations only: the option table and the Scrapy settings made from it."""
