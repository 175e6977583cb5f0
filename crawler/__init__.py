"""Turns leases into visits. Scrapy lives here and in ``pipelines``, nowhere else."""
