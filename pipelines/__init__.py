"""From a visit to a durable row: canonicalise, then store. The order is set in ``settings.base``."""
