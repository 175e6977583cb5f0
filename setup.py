"""Only for scrapyd-deploy, which builds an egg by it; everything else is built from pyproject.toml.

The egg names the settings and holds no code: linkatlas is installed where scrapyd runs, as what it needs must be anyway.
"""

from setuptools import setup

setup(packages=[], py_modules=[])
